# The image of defnews: locked packages in a virtual environment, on a plain Python, run by an unprivileged user.
FROM python:3.13-slim-trixie AS builder
WORKDIR /src
RUN python -m venv --without-pip /opt/defnews
COPY requirements.lock ./
RUN pip --python /opt/defnews install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY . ./
RUN pip --python /opt/defnews install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-trixie
COPY --from=builder /opt/defnews /opt/defnews
RUN install -d -m 700 -o 10001 -g 10001 /data
# Only /data must be writable: temporary files go to /tmp where that can be written, else here.
ENV PATH=/opt/defnews/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    DEFNEWS_API__LISTEN=0.0.0.0:8317
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8317
# By no proxy, whatever the environment says.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.build_opener(web.ProxyHandler({})).open('http://127.0.0.1:8317/healthz', timeout=4)"]
ENTRYPOINT ["defnews"]
CMD ["run"]
