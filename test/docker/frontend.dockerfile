# Node.js with the frontend's packages; the folder is one in which npm has installed them.
FROM embark-test/node
COPY node_modules /app/node_modules
