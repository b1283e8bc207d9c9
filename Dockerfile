# The service as a container image.
#
#   docker build -t prompt-registry .
#   docker run --read-only --tmpfs /tmp -v registry:/data -p 3000:3000 prompt-registry
#
# It runs the sources as they are, `node server.ts`: what the tests test. Node reads TypeScript by itself, so there is nothing to build.
# Node is process 1 and receives the signals. It writes to DATA_DIR and /tmp, and nowhere else.

# Any Debian with Node 24 and npm, e.g. a copy of this image in a registry of your own.
ARG NODE_IMAGE=node:24.21.0-slim

# The production dependencies. This layer changes only with a manifest.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# A private npm registry: docker build --secret id=npmrc,src=$HOME/.npmrc …
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --omit=optional --workspaces=false --ignore-scripts --no-audit --no-fund

# The sources, as .dockerignore lists them: readable by every user, whatever the umask of the checkout is.
FROM ${NODE_IMAGE} AS sources
COPY . /app
RUN rm /app/package-lock.json && chmod -R u=rwX,go=rX /app

FROM ${NODE_IMAGE}
# The service needs no package manager. No VOLUME: a container without a volume for /data would silently get an anonymous one.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg \
    && install -d -m 700 -o 10001 -g 10001 /data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=sources /app .
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
EXPOSE 3000
USER 10001:10001
# /livez and not /readyz: who restarts an unhealthy container must not do so because the database is down.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "scripts/health.ts"]
# A tool for operators runs as `docker run … prompt-registry scripts/audit-verify.ts`.
ENTRYPOINT ["node"]
CMD ["server.ts"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="prompt-registry" \
      org.opencontainers.image.description="A prompt registry with rollback controls" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"
