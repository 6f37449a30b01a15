# Auria without root. Drafts, pictures and settings live in /auria, which should be a volume.
#
#   docker build -t auria .                                           # a processor is enough
#   docker build -t auria --build-arg EXTRAS=social,notify,postgres . # with platforms, notices and PostgreSQL
#   docker build -t auria --build-arg VARIANT=cuda .                  # with torch, for a GPU: run with --gpus all
#   docker run -d --name auria --restart unless-stopped --stop-timeout 90 -v auria:/auria auria
#   docker exec -it auria auria review
FROM python:3.12-slim-trixie AS build
ARG VARIANT=cpu
ARG EXTRAS=notify
WORKDIR /src
COPY requirements requirements
# Nothing is resolved: the locks hold every package, and what is installed are the versions that the tests ran with.
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base.txt
RUN if [ "$VARIANT" = cuda ]; then EXTRAS="${EXTRAS:+$EXTRAS,}torch"; fi; IFS=,; for extra in $EXTRAS; do \
        /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r "requirements/extras/$extra.txt" || exit 1; \
    done \
    && case ",$EXTRAS," in *,torch,*) /venv/bin/pip install --no-cache-dir --no-deps -r requirements/torch.txt \
        && case $(/venv/bin/pip show torch) in *cuda-toolkit*) \
            /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/cuda.txt ;; esac ;; \
    esac
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY LICENSES LICENSES
COPY docs/manual.py docs/manual.py
COPY config config
COPY migrations migrations
COPY models models
COPY auria_bot auria_bot
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . && /venv/bin/pip check

FROM python:3.12-slim-trixie
ARG EXTRAS=notify
# Backups of PostgreSQL are made by its own programs, which must be as new as the server.
# hadolint ignore=DL3008
RUN case ",$EXTRAS," in *,postgres,*) \
        apt-get update && apt-get install -y --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/* ;; \
    esac
COPY --from=build /venv /venv
RUN useradd --uid 1000 --create-home auria && mkdir /auria && chown auria:auria /auria
USER 1000
ENV AURIA_HOME=/auria PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 AURIA_HEALTH__ADDRESS=0.0.0.0:8610
VOLUME /auria
EXPOSE 8610
# It is not the process that must be well but the work: overdue jobs make it fail.
HEALTHCHECK --interval=60s --timeout=15s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8610/healthz', timeout=10)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["auria"]
CMD ["daemon"]
