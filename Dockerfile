# The program as a container: built with everything, run with what it needs, by nobody special, with nothing to write to but /data.
# Node's long-term support release; test/deployment.test.ts keeps this file to what the repository has.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Types and compiler only: nothing that is installed here runs.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
RUN ln -s /app/dist/cli/main.js /usr/local/bin/claviger && mkdir -m 700 /data && chown node:node /data
ENV NODE_ENV=production CLAVIGER_HOST=0.0.0.0 CLAVIGER_PORT=8080 CLAVIGER_DATA=/data
USER node
VOLUME /data
EXPOSE 8080
# Whether it lives: who asks whether it can serve asks /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CLAVIGER_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["claviger"]
CMD ["serve"]
