# The classifier, for docker-compose.yml or any other place that runs containers.
#   docker build --tag broker-classifier .
# BASE_IMAGE may name a mirror's Python, TORCH_INDEX another index for the CPU build of torch.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_INDEX
WORKDIR /build
RUN python -m venv /opt/venv
COPY deploy/install-torch deploy/
COPY requirements.lock .
RUN deploy/install-torch /opt/venv/bin/python \
 && /opt/venv/bin/pip install --quiet --no-cache-dir --requirement requirements.lock \
 # Headers for C++ extensions, and tests.
 && rm -rf /opt/venv/lib/python*/site-packages/torch/include /opt/venv/lib/python*/site-packages/torch/test
COPY pyproject.toml README.md LICENSE ./
COPY broker_classifier broker_classifier
COPY models models
RUN /opt/venv/bin/pip install --quiet --no-cache-dir --no-deps . \
 && /opt/venv/bin/pip uninstall --quiet --yes pip
# What numba compiles, so that a start does not wait for it; numba must be able to write where it reads.
ENV NUMBA_CACHE_DIR=/opt/numba NUMBA_CPU_NAME=generic
RUN cd / && /opt/venv/bin/python -m broker_classifier.surveys.warm \
 && /opt/venv/bin/python -c "import broker_classifier.service.serve"

FROM ${BASE_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/numba /opt/numba
# A volume mounted on one of these takes over its owner.
RUN mkdir /store /page /night /outbox && chown 10001:10001 /store /page /night /outbox
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba NUMBA_CPU_NAME=generic
USER 10001:10001
ENTRYPOINT ["sh", "-c", "cp -r /opt/numba /tmp && exec broker-classifier \"$@\"", "broker-classifier"]
CMD ["serve"]
