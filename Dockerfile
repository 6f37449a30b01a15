# Auria on a processor: no torch, no root. Drafts, pictures and settings live in /auria, which should be a volume.
#
#   docker build -t auria .
#   docker run --rm -v auria:/auria auria make --count 3
#   docker run --rm -it -v auria:/auria auria review
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements/base.txt requirements/
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY config config
COPY migrations migrations
COPY models models
COPY auria_bot auria_bot
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
COPY --from=build /venv /venv
RUN useradd --uid 1000 --create-home auria && mkdir /auria && chown auria:auria /auria
USER auria
ENV AURIA_HOME=/auria PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
VOLUME /auria
ENTRYPOINT ["auria"]
CMD ["--help"]
