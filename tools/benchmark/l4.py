"""TCP forwarding: small messages on persistent connections (an HTTP exchange is one message each way), and connections
that carry a single exchange."""

import os

import l7
from suite import Contestant, Scenario, ours, write


class Suite(l7.Suite):
    name = "l4"
    unit = "messages/s"
    scenarios = [
        Scenario("small", path="/", body=l7.SMALL.encode()),
        Scenario("64 KiB", quick=False, path="/large", body=b"x" * l7.LARGE, counted=2000),
        Scenario("connections", quick=False, path="/", body=l7.SMALL.encode(), close=True, counted=0),
    ]

    def nginx(self, folder, port):
        first, second = self.backend.ports
        module = "/usr/lib/nginx/modules/ngx_stream_module.so"
        config = write(folder, "nginx.conf", l7.nginx_frame(folder, f"""
stream {{
    upstream backend {{
        server 127.0.0.1:{first};
        server 127.0.0.1:{second};
    }}
    server {{
        listen 127.0.0.1:{port};
        tcp_nodelay on;
        proxy_pass backend;
    }}
}}
""", f"load_module {module};" if os.path.exists(module) else ""))
        return ["nginx", "-c", config, "-p", folder], {}

    def haproxy(self, folder, port):
        first, second = self.backend.ports
        config = write(folder, "haproxy.cfg", l7.haproxy_frame(f"""    mode tcp
frontend public
    bind 127.0.0.1:{port}
    default_backend backend
backend backend
    balance roundrobin
    server one 127.0.0.1:{first}
    server two 127.0.0.1:{second}
"""))
        return ["haproxy", "-db", "-f", config], {}

    def meridian(self, folder, port):
        first, second = self.backend.ports
        return ours("meridian-l4", folder, f"""
regions:
  bench: {{location: {{continent: NA}}}}
nodes:
  bench: {{tier: l4, region: bench, address: 127.0.0.1, workers: 1, log: {{level: warning}}}}
pools:
  backend:
    kind: tcp
    balance: roundRobin
    endpoints:
      bench: ["127.0.0.1:{first}", "127.0.0.1:{second}"]
tcp:
  listeners:
    public: {{port: {port}, pool: backend}}
""")
