"""HTTP/1.1 proxying with persistent connections on both sides."""

import loads
from processes import CLIENT_CORE, Process, accepts, free_port
from suite import Contestant, Scenario, ours, write

HOST = "www.bench.test"
SMALL = "meridian bench\n"
LARGE = 64 * 1024


class Backend:
    """nginx on the client core, two ports, answering small bodies and 64 KiB ones itself."""

    def __init__(self, folder):
        self.ports = [free_port(), free_port()]
        write(folder, "backend/www/large", "x" * LARGE)
        write(folder, "backend/www/small", SMALL)
        config = write(folder, "backend/nginx.conf", nginx_frame(f"{folder}/backend", f"""
http {{
    access_log off;
    {nginx_paths(f"{folder}/backend")}
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{self.ports[0]};
        listen 127.0.0.1:{self.ports[1]};
        root {folder}/backend/www;
        location = / {{ return 200 "{SMALL.strip()}\\n"; }}
    }}
}}
"""))
        self.process = Process("backend", ["nginx", "-c", config, "-p", f"{folder}/backend"], folder, CLIENT_CORE)
        self.process.wait_for(lambda: all(map(accepts, self.ports)), 10)

    def stop(self):
        self.process.stop()


def nginx_frame(folder, rest, modules=""):
    """One process that does the work itself; it ends with its parent."""
    return f"""{modules}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
{rest}"""


def nginx_paths(folder):
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def haproxy_frame(rest):
    return f"""global
    maxconn 8192
    nbthread 1
defaults
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
{rest}"""


class Suite:
    name = "l7"
    unit = "requests/s"
    counted = 8000
    connections = 32
    scenarios = [
        Scenario("small", path="/", body=SMALL.encode()),
        Scenario("64 KiB", quick=False, path="/large", body=b"x" * LARGE, counted=2000),
    ]

    def __init__(self):
        self.backend = None
        self.contestants = [Contestant("meridian", self.meridian), Contestant("nginx", self.nginx),
                            Contestant("haproxy", self.haproxy)]

    def prepare(self, folder):
        self.backend = Backend(folder)

    def finish(self):
        if self.backend:
            self.backend.stop()

    def nginx(self, folder, port):
        first, second = self.backend.ports
        config = write(folder, "nginx.conf", nginx_frame(folder, f"""
http {{
    access_log off;
    {nginx_paths(folder)}
    keepalive_requests 1000000000;
    upstream backend {{
        server 127.0.0.1:{first};
        server 127.0.0.1:{second};
        keepalive 128;
        keepalive_requests 1000000000;
        keepalive_timeout 300s;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name {HOST};
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
        }}
    }}
}}
"""))
        return ["nginx", "-c", config, "-p", folder], {}

    def haproxy(self, folder, port):
        first, second = self.backend.ports
        config = write(folder, "haproxy.cfg", haproxy_frame(f"""    mode http
    option http-keep-alive
    option forwardfor
frontend public
    bind 127.0.0.1:{port}
    acl www hdr(host) -i {HOST}
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    use_backend backend if www
backend backend
    balance roundrobin
    http-reuse always
    server one 127.0.0.1:{first}
    server two 127.0.0.1:{second}
"""))
        return ["haproxy", "-db", "-f", config], {}

    def meridian(self, folder, port):
        first, second = self.backend.ports
        return ours("meridian-l7", folder, f"""
regions:
  bench: {{location: {{continent: NA}}}}
nodes:
  bench: {{tier: l7, region: bench, address: 127.0.0.1, workers: 1, log: {{level: warning}}}}
pools:
  backend:
    kind: http
    balance: roundRobin
    keepalive: 128
    endpoints:
      bench: ["127.0.0.1:{first}", "127.0.0.1:{second}"]
http:
  listeners:
    public: {{port: {port}}}
  routes:
    - {{name: all, host: {HOST}, path: {{prefix: /}}, pool: backend}}
""")

    def answers(self, port):
        return loads.http_answer(port, "/", HOST) == (200, SMALL.encode())

    def check(self, contestant, scenario):
        got = loads.http_answer(contestant.port, scenario.details["path"], HOST)
        return None if got == (200, scenario.details["body"]) else f"unexpected answer {str(got)[:200]}"

    def load(self, contestant, scenario, seconds):
        return loads.wrk(contestant.port, scenario.details["path"], seconds, self.connections, HOST,
                         scenario.details.get("close", False))

    def latency(self, contestant, scenario, seconds):
        """wrk reports it with the load."""
        return None

    def exactly(self, contestant, scenario, count):
        return loads.exactly_http(contestant.port, scenario.details["path"], count, self.connections, HOST)
