export default function About() {
  return <p>A shop that is always open.</p>;
}
