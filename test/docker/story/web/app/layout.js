export default function Layout({ children }) {
  return <html><body><img src="/logo.svg" alt="shop" />{children}</body></html>;
}
