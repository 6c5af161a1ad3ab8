export default {
  output: "standalone",
  images: { unoptimized: true },
  // What the browser asks for under /api goes to one of the API's replicas.
  rewrites: () => [{ source: "/api/:path*", destination: "http://api:8000/:path*" }],
};
