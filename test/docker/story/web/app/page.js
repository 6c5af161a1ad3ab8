"use client";

import { useEffect, useState } from "react";

// Inlined by the build: what is set when the server runs is too late for the browser.
const api = process.env.NEXT_PUBLIC_API_URL || "http://localhost:3000";

export default function Page() {
  const [items, show] = useState([]);
  useEffect(() => { fetch(`${api}/items`).then((answer) => answer.json()).then(show); }, []);
  return <ul>{items.map((item) => <li key={item.id}>{item.name}</li>)}</ul>;
}
