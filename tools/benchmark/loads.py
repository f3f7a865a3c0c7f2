"""Load generators: dnsperf and wrk for time, and clients of our own that send an exact number for counting."""

import re
import selectors
import socket

from processes import Failure, client


class Load:
    """One measured run: operations per second, how many, latency in milliseconds (None where not measured)."""

    def __init__(self, throughput, operations, p50=None, p99=None):
        self.throughput = throughput
        self.operations = operations
        self.p50 = p50
        self.p99 = p99


def dnsperf(port, queries, seconds, expected):
    """As fast as the server answers, 100 queries outstanding. `queries`: a file of whole messages, as `dns_stream`."""
    out = client(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-B", "-l", str(seconds), "-c", "4", "-q", "100",
         "-t", "2"], seconds + 20)
    completed = int(re.search(r"Queries completed:\s+(\d+)", out).group(1))
    lost = int(re.search(r"Queries lost:\s+(\d+)", out).group(1))
    codes = re.search(r"Response codes:\s+(.*)", out)
    wrong = [code for code in (codes.group(1).split(", ") if codes else []) if not code.startswith(expected)]
    if completed == 0 or wrong or lost > completed // 100:
        raise Failure(f"port {port}: {completed} answers, {lost} lost, unexpected codes {wrong}")
    return Load(float(re.search(r"Queries per second:\s+([\d.]+)", out).group(1)), completed)


def dns_latency(port, queries, seconds):
    """(p50, p99) in milliseconds at a fixed 10,000 queries a second, which every server here can answer."""
    out = client(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-B", "-l", str(seconds), "-c", "4", "-q", "100",
         "-Q", "10000", "-v"], seconds + 20)
    times = sorted(float(line.rsplit(" ", 1)[1]) * 1000 for line in out.splitlines() if line.startswith("> "))
    return percentile(times, 50), percentile(times, 99)


def wrk(port, path, seconds, connections, host, close=False):
    """As fast as the server answers, one request at a time on each connection."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency", "-H", f"Host: {host}"]
    if close:
        command += ["-H", "Connection: close"]
    out = client(command + [f"http://127.0.0.1:{port}{path}"], seconds + 20)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    operations = int(re.search(r"(\d+) requests in", out).group(1))
    failed = (int(bad.group(1)) if bad else 0) + (sum(map(int, errors.groups())) if errors else 0)
    # With one connection per request wrk counts the close that ends a response as a read error.
    if operations == 0 or (failed and not close):
        raise Failure(f"port {port}: {operations} answers, {failed} errors\n{out}")
    return Load(
        float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), operations, latency(out, 50), latency(out, 99))


def latency(out, share):
    """From wrk's table of percentiles; elsewhere a share of 72.50% ends in 50% too."""
    return milliseconds(re.search(rf"^ +{share}% +(\S+)", out, re.MULTILINE).group(1))


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else None


def exactly_dns(port, queries, count):
    """Sends `count` queries, 64 outstanding, each again until it is answered; returns how many were sent."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.connect(("127.0.0.1", port))
    link.settimeout(2)
    sent = 0
    while sent < count:
        waiting = {}
        for _ in range(min(64, count - sent)):
            identifier = sent & 0xFFFF
            waiting[identifier] = identifier.to_bytes(2, "big") + queries[sent % len(queries)]
            link.send(waiting[identifier])
            sent += 1
        while waiting:
            waiting.pop(int.from_bytes(link.recv(4096)[:2], "big"), None)
    link.close()
    return sent


def dns_query(name, kind=1, subnet=None):
    """A query without its identifier: RD clear, EDNS 0 with 1232 octets; `subnet`: the three octets of a client's /24."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    option = b"\x00\x08\x00\x07\x00\x01\x18\x00" + subnet if subnet else b""
    return (b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01" + labels + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
            + b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00" + len(option).to_bytes(2, "big") + option)


def dns_stream(messages):
    """Messages without identifiers as dnsperf reads them: each behind its length."""
    return b"".join((len(message) + 2).to_bytes(2, "big") + b"\x00\x00" + message for message in messages)


def dns_answer(port, name, seconds=0.5):
    """(response code, answer count) for one query, or None when nothing came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(seconds)
        try:
            link.connect(("127.0.0.1", port))
            link.send(b"\x12\x34" + dns_query(name))
            answer = link.recv(4096)
        except OSError:
            return None
    return answer[3] & 15, int.from_bytes(answer[6:8], "big")


def exactly_http(port, path, count, connections, host):
    """Sends `count` requests over `connections` persistent connections, one at a time on each."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    links = []
    for _ in range(connections):
        link = socket.create_connection(("127.0.0.1", port), 60)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(link, selectors.EVENT_READ, bytearray())
        links.append(link)
    started = 0
    for link in links[:count]:
        link.send(request)
        started += 1
    finished = 0
    while finished < count:
        ready = selector.select(60)
        if not ready:
            raise Failure(f"port {port}: no answer for 60 s after {finished} requests")
        for key, _ in ready:
            data = key.fileobj.recv(262144)
            if not data:
                raise Failure(f"port {port}: connection closed after {finished} requests")
            key.data.extend(data)
            if not complete(key.data):
                continue
            if not key.data.startswith(b"HTTP/1.1 200"):
                raise Failure(f"port {port}: {bytes(key.data[:200])!r}")
            key.data.clear()
            finished += 1
            if started < count:
                key.fileobj.send(request)
                started += 1
    for link in links:
        link.close()
    return finished


def complete(response):
    end = response.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = re.search(rb"(?i)content-length: *(\d+)", response[:end])
    if not length:
        raise Failure("a response without Content-Length")
    return len(response) >= end + 4 + int(length.group(1))


def http_answer(port, path, host):
    """(status, body) of one request, or None when there was no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while chunk := link.recv(65536):
                data += chunk
    except OSError:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    fields = head.split(b" ", 2)
    return (int(fields[1]), body) if len(fields) > 1 and fields[1].isdigit() else None
