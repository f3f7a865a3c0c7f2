#!/usr/bin/env python3
"""Writes the small MaxMind DB files of the fuzzing corpus: tools/fuzz/mmdb.py tools/fuzz/corpus/mmdb

The format is https://maxmind.github.io/MaxMind-DB/, version 2.0."""

import ipaddress
import os
import sys


def control(kind, size):
    """A control byte with its extensions."""
    first, extended = (0, bytes([kind - 7])) if kind > 7 else (kind << 5, b"")
    if size < 29:
        return bytes([first | size]) + extended
    if size < 285:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + (size - 285).to_bytes(2, "big")


def encode(value):
    if isinstance(value, str):
        octets = value.encode()
        return control(2, len(octets)) + octets
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    kind, number = value
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return control({"u16": 5, "u32": 6, "u64": 9}[kind], len(octets)) + octets


def database(networks, version, record_size, alias=False):
    nodes = [[None, None]]
    data = b""
    offsets = {}

    def branch(bits, leaf):
        node = 0
        for bit in bits[:-1]:
            if not isinstance(nodes[node][bit], int):
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][bits[-1]] = leaf

    def bits(text):
        network = ipaddress.ip_network(text)
        width, length, value = network.max_prefixlen, network.prefixlen, int(network.network_address)
        if version == 6 and network.version == 4:
            width, length = 128, length + 96
        return [value >> (width - 1 - i) & 1 for i in range(length)]

    for text, record in networks:
        octets = encode(record)
        if octets not in offsets:
            offsets[octets] = len(data)
            data += octets
        branch(bits(text), ("data", offsets[octets]))
    if alias:
        node = 0
        for _ in range(96):
            node = nodes[node][0]
        branch(bits("2002::/16"), node)
        branch(bits("::ffff:0:0/96"), node)

    def number(leaf):
        if leaf is None:
            return len(nodes)
        return leaf if isinstance(leaf, int) else len(nodes) + 16 + leaf[1]

    tree = b""
    for left, right in ([number(leaf) for leaf in node] for node in nodes):
        if record_size == 28:
            tree += (left & 0xFFFFFF).to_bytes(3, "big")
            tree += bytes([left >> 24 << 4 | right >> 24]) + (right & 0xFFFFFF).to_bytes(3, "big")
        else:
            tree += left.to_bytes(record_size // 8, "big") + right.to_bytes(record_size // 8, "big")
    metadata = {
        "node_count": ("u32", len(nodes)),
        "record_size": ("u16", record_size),
        "ip_version": ("u16", version),
        "database_type": "Meridian-Country",
        "languages": ["en"],
        "binary_format_major_version": ("u16", 2),
        "binary_format_minor_version": ("u16", 0),
        "build_epoch": ("u64", 1700000000),
        "description": {"en": "small"},
    }
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata)


def place(continent, country):
    return {"continent": {"code": continent}, "country": {"iso_code": country, "names": {"en": country}}}


def main():
    folder = sys.argv[1]
    networks = [
        ("10.0.0.0/8", place("EU", "DE")),
        ("192.0.2.0/25", place("NA", "US")),
        ("2001:db8::/32", place("AS", "IN")),
    ]
    os.makedirs(folder, exist_ok=True)
    for name, octets in {
        "v4-24.mmdb": database(networks[:2], 4, 24),
        "v6-28-alias.mmdb": database(networks, 6, 28, alias=True),
        "v6-32.mmdb": database(networks + [("198.51.100.7/32", {"continent": {"code": "OC"}})], 6, 32),
    }.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(octets)


main()
