"""Authoritative DNS over UDP: static names, dynamic names, names that do not exist, and names steered by a map of a
million client prefixes."""

import random

import loads
from suite import Contestant, Scenario, ours, write

ZONE = "bench.test"
STATIC = 1000
DYNAMIC = 50
# The map: its /24 prefixes, and the client prefixes that ask.
PREFIXES = 1_000_000
CLIENTS = 100_000
REGIONS = ("us", "eu", "ap", "sa", "af")
SOA = f"""$ORIGIN {ZONE}.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 1800 259200 60
@ IN NS ns1
ns1 IN A 127.0.0.1
"""


def hosts():
    return "".join(f"host{n} IN A 192.0.2.{n % 250 + 1}\n" for n in range(STATIC))


def gdnsd_options(folder, port):
    return f"""
options => {{
  listen => [ 127.0.0.1:{port} ]
  udp_threads => 1
  tcp_threads => 1
  run_dir => {folder}/run
  state_dir => {folder}/state
}}
"""


def gdnsd(folder, port):
    """The peer with dynamic answers: `geo` names through its geoip plugin's networks, `w` names through weighted."""
    write(folder, f"zones/{ZONE}", SOA + hosts()
          + "".join(f"geo{n} 30 DYNA geoip!geo{n}\nw{n} 30 DYNA weighted!w{n}\n" for n in range(DYNAMIC)))
    geo = "".join(
        f"geo{n} => {{ map => m, service_types => up, dcmap => {{ us => 192.0.2.{n + 1}, eu => 198.51.100.{n + 1},"
        f" ap => 203.0.113.{n + 1} }} }}\n" for n in range(DYNAMIC))
    weighted = "".join(
        f"w{n} => {{ service_types => up, us => [ 192.0.2.{n + 1}, 10 ], eu => [ 198.51.100.{n + 1}, 5 ],"
        f" ap => [ 203.0.113.{n + 1}, 1 ] }}\n" for n in range(DYNAMIC))
    write(folder, "config", gdnsd_options(folder, port) + f"""
plugins => {{
  geoip => {{
    maps => {{ m => {{
      datacenters => [ us, eu, ap ]
      nets => {{ 10.0.0.0/8 => [ us, eu, ap ], 172.16.0.0/12 => [ eu, us, ap ], 127.0.0.0/8 => [ ap, eu, us ] }}
    }} }}
    resources => {{
{geo}    }}
  }}
  weighted => {{
{weighted}  }}
}}
""")
    return ["gdnsd", "-c", folder, "start"], {}


def knot(folder, port):
    write(folder, "zone", SOA + hosts())
    write(folder, "knot.conf", f"""
server:
    listen: 127.0.0.1@{port}
    rundir: {folder}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: {folder}
zone:
  - domain: {ZONE}
    file: {folder}/zone
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
""")
    return ["knotd", "-c", f"{folder}/knot.conf"], {}


def nsd(folder, port):
    write(folder, "zone", SOA + hosts())
    write(folder, "nsd.conf", f"""
server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    username: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    verbosity: 0
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: {ZONE}
    zonefile: zone
""")
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"], {}


def meridian(folder, port):
    """The same names; every steering step that answers them is on."""
    write(folder, "bench.test.zone", SOA + hosts())
    answers = "{{us: {{A: 192.0.2.{0}}}, eu: {{A: 198.51.100.{0}}}, ap: {{A: 203.0.113.{0}}}}}"
    names = ""
    for n in range(DYNAMIC):
        names += f"""
        geo{n}:
          ttl: 30s
          answers: {answers.format(n + 1)}
          steps:
            - healthy
            - geo: {{prefixes: {{10.0.0.0/8: [us], 172.16.0.0/12: [eu], 127.0.0.0/8: [ap]}}, default: [us]}}
            - limit: 1
        w{n}:
          ttl: 30s
          answers: {answers.format(n + 1)}
          steps:
            - healthy
            - weighted: {{us: 10, eu: 5, ap: 1}}
            - limit: 1"""
    return ours("meridian-dns", folder, f"""
regions:
  us: {{location: {{continent: NA, country: US}}}}
  eu: {{location: {{continent: EU, country: DE}}}}
  ap: {{location: {{continent: AS, country: IN}}}}
nodes:
  bench: {{tier: dns, region: us, address: 127.0.0.1, workers: 1, log: {{level: warning}}}}
dns:
  port: {port}
  zones:
    {ZONE}:
      file: bench.test.zone
      names:{names}
""")


def networks():
    """The map's /24 prefixes as numbers, and for each which region is best: the same in every run."""
    chance = random.Random(2)
    return [(number, chance.randrange(len(REGIONS)))
            for number in sorted(chance.sample(range(1 << 16, 223 << 16), PREFIXES))]


def prefix(number):
    return f"{number >> 16}.{number >> 8 & 255}.{number & 255}.0/24"


def gdnsd_map(folder, port):
    """Every prefix with its order of datacenters; gdnsd has no latencies, the order says the same."""
    write(folder, f"zones/{ZONE}", SOA + hosts()
          + "".join(f"steered{n} 30 DYNA geoip!steered{n}\n" for n in range(DYNAMIC)))
    orders = [", ".join(REGIONS[best:] + REGIONS[:best]) for best in range(len(REGIONS))]
    write(folder, "geoip/nets", "".join(f"{prefix(number)} => [ {orders[best]} ]\n" for number, best in networks()))
    resources = "".join(
        f"steered{n} => {{ map => m, service_types => up, dcmap => {{ "
        + ", ".join(f"{region} => 192.0.{place}.{n + 1}" for place, region in enumerate(REGIONS)) + " } }\n"
        for n in range(DYNAMIC))
    write(folder, "config", gdnsd_options(folder, port) + f"""
plugins => {{
  geoip => {{
    maps => {{ m => {{ datacenters => [ {", ".join(REGIONS)} ], nets => nets }} }}
    resources => {{
{resources}    }}
  }}
}}
""")
    return ["gdnsd", "-c", folder, "start"], {}


def meridian_map(folder, port):
    """Health, latency by prefix, and weights among the regions that are near enough."""
    write(folder, "bench.test.zone", SOA + hosts())
    write(folder, "latency.csv", "".join(
        f"{prefix(number)},{REGIONS[best]},20\n{prefix(number)},{REGIONS[(best + 1) % len(REGIONS)]},25\n"
        for number, best in networks()))
    names = "".join(f"""
        steered{n}:
          ttl: 30s
          answers: {{{", ".join(f"{region}: {{A: 192.0.{place}.{n + 1}}}" for place, region in enumerate(REGIONS))}}}
          steps:
            - healthy
            - latency: {{file: latency.csv, tolerance: 10ms}}
            - weighted: {{us: 10, eu: 5, ap: 5, sa: 2, af: 1}}
            - limit: 1""" for n in range(DYNAMIC))
    return ours("meridian-dns", folder, f"""
regions:
{"".join(f"  {region}: {{location: {{continent: NA}}}}{chr(10)}" for region in REGIONS)}nodes:
  bench: {{tier: dns, region: us, address: 127.0.0.1, workers: 1, log: {{level: warning}}}}
dns:
  port: {port}
  zones:
    {ZONE}:
      file: bench.test.zone
      names:{names}
""")


class Suite:
    name = "dns"
    unit = "queries/s"
    counted = 20000
    contestants = [Contestant("meridian", meridian), Contestant("gdnsd", gdnsd), Contestant("knot", knot),
                   Contestant("nsd", nsd), Contestant("meridian", meridian_map, stage="map"),
                   Contestant("gdnsd", gdnsd_map, stage="map")]
    scenarios = [
        Scenario("static", names=[f"host{n}.{ZONE}" for n in range(STATIC)], code="NOERROR"),
        Scenario("dynamic", servers={"meridian", "gdnsd"}, code="NOERROR",
                 names=[f"{kind}{n}.{ZONE}" for n in range(DYNAMIC) for kind in ("geo", "w")]),
        Scenario("nxdomain", names=[f"missing{n}.{ZONE}" for n in range(1000)], code="NXDOMAIN"),
        # Every name is another one, as in a random-subdomain attack.
        Scenario("flood", quick=False, code="NXDOMAIN",
                 names=[f"{random.Random(n).getrandbits(60):x}.{ZONE}" for n in range(200_000)]),
        Scenario("steered", quick=False, stage="map", code="NOERROR", clients=CLIENTS,
                 names=[f"steered{n}.{ZONE}" for n in range(DYNAMIC)]),
    ]

    def prepare(self, folder):
        """Writes one shuffled query file per scenario; the order is the same in every run."""
        for scenario in self.scenarios:
            chance = random.Random(1)
            names = scenario.details["names"]
            names = names * max(1, 1000 // len(names))
            chance.shuffle(names)
            if "clients" in scenario.details:
                mapped = [number.to_bytes(3, "big") for number, _ in networks()]
                scenario.messages = [
                    loads.dns_query(chance.choice(names), subnet=chance.choice(mapped))
                    for _ in range(scenario.details["clients"])]
            else:
                scenario.messages = [loads.dns_query(name) for name in names]
            scenario.file = write(folder, f"{scenario.name}.queries", loads.dns_stream(scenario.messages))

    def finish(self):
        pass

    def answers(self, port):
        return loads.dns_answer(port, f"host1.{ZONE}") == (0, 1)

    def check(self, contestant, scenario):
        """What is wrong with the contestant's answer, or None."""
        wanted = (0, 1) if scenario.details["code"] == "NOERROR" else (3, 0)
        got = loads.dns_answer(contestant.port, scenario.details["names"][0])
        return None if got == wanted else f"{scenario.details['names'][0]}: wanted {wanted}, got {got}"

    def load(self, contestant, scenario, seconds):
        return loads.dnsperf(contestant.port, scenario.file, seconds, scenario.details["code"])

    def latency(self, contestant, scenario, seconds):
        return loads.dns_latency(contestant.port, scenario.file, seconds)

    def exactly(self, contestant, scenario, count):
        return loads.exactly_dns(contestant.port, scenario.messages, count)
