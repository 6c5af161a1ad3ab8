// Made by the server for each request.
export const dynamic = "force-dynamic";

export default async function Items() {
  const items = await (await fetch("http://api:8000/items")).json();
  return <p>{items.length} items, the first: {items[0].name}</p>;
}
