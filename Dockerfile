# The image of a worker, and one for policy authors that also has opa. A production worker loads compiled bundles and needs
# neither opa nor the Temporal CLI. test/image.test.ts runs these steps in a clean folder, without Docker.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package that the product needs has an install script of its own; the project's own build runs below.
RUN npm install --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json buf.yaml buf.gen.yaml ./
COPY scripts scripts
COPY proto proto
COPY src src
# Temporal's packages are peers of the package, and development has them too: npm would prune them with the rest.
RUN npm run build && npm pkg delete devDependencies && npm prune --ignore-scripts --no-audit --no-fund

FROM node:20.20.2-bookworm-slim AS worker
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY configs configs
USER node
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["worker"]

FROM worker AS author
COPY --from=openpolicyagent/opa:1.22.2-static /opa /usr/local/bin/opa
COPY policy policy
CMD ["--help"]
