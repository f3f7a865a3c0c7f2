import Foundation
import Testing
import WorldKit

extension SystemTests {
    /// The DNS node before the tools that people use: dig, kdig, dnsperf, dnspython.
    @Suite struct DNSProtocolTests {
        private static let address = "127.0.78.1"
        private static let port = "5457"

        private struct Node {
            let world: World

            /// What a tool prints when it asks the node.
            func ask(_ tool: String, _ words: [String]) async throws -> String {
                let output = try await Command.run(
                    [tool, "@" + address, "-p", port] + words, folder: world.folder, limit: .seconds(20))
                return output.text + output.errors
            }

            func dig(_ words: String...) async throws -> String {
                try await ask("dig", ["+time=2", "+tries=1", "+norecurse"] + words)
            }

            func kdig(_ words: String...) async throws -> String {
                try await ask("kdig", ["+time=2", "+retry=0"] + words)
            }
        }

        private func serve(_ dns: String = "", _ body: (Node) async throws -> Void) async throws {
            let long = String(repeating: "x", count: 240)
            let zone = """
                $TTL 60
                @ SOA ns1 hostmaster 1 7200 1800 259200 60
                @ NS ns1
                ns1 A \(Self.address)
                www A 192.0.2.1
                www HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1
                _svc SVCB 16 www mandatory=port,alpn alpn=h2 port=53 key667="hello"
                big TXT "\(long)" "\(long)" "\(long)" "\(long)" "\(long)" "\(long)"
                odd TYPE65280 \\# 4 0a000001
                $GENERATE 1-50 host${0,3} A 192.0.2.$
                *.wild TXT "any"
                old DNAME wild
                """
            let topology = """
                regions: {here: {address: \(Self.address)}}
                nodes: {dns: {tier: dns, region: here, workers: 1, admin: "\(Self.address):9190", drainTimeout: 1s}}
                dns:
                  port: \(Self.port)
                  identity: {chaos: true, version: "Meridian of a test"}
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:
                        near: {answers: {here: {A: 192.0.2.9}}, steps: [{geo: {prefixes: {203.0.113.0/24: [here]}}}]}
                \(dns)
                """
            let files = [
                "shop.test.zone": zone, "one": "e5e973e5a6b2a43f48e7dc849e37bfcf",
                "two": "dd3bdf9344b678b185a6f5cb60fca715",
            ]
            try await TemporaryWorld.run(topology: topology, files: files) { try await body(Node(world: $0.world)) }
        }

        @Test(.timeLimit(.minutes(1))) func digIsAnswered() async throws {
            try await serve { node in
                let identified = try await node.dig("+nsid", "shop.test", "SOA")
                #expect(identified.contains("; NSID: 64 6e 73 (\"dns\")") && identified.contains("flags: qr aa;"))
                #expect(try await node.dig("shop.test", "SOA").contains("(good)"), "the cookie is one that dig knows")
                for name in ["id.server", "hostname.bind"] {
                    #expect(try await node.dig("CH", "TXT", name, "+short") == "\"dns\"\n")
                }
                #expect(try await node.dig("CH", "TXT", "version.bind", "+short") == "\"Meridian of a test\"\n")
                #expect(
                    try await node.dig("www.shop.test", "TYPE65", "+short")
                        == "1 . alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1\n")
                #expect(
                    try await node.dig("_svc.shop.test", "SVCB", "+short")
                        == "16 www.shop.test. mandatory=alpn,port alpn=\"h2\" port=53 key667=\"hello\"\n")
                #expect(try await node.dig("odd.shop.test", "TYPE65280", "+short") == "\\# 4 0A000001\n")
                #expect(try await node.dig("host007.shop.test", "A", "+short") == "192.0.2.7\n")
                let any = try await node.dig("www.shop.test", "ANY", "+notcp")
                #expect(any.contains("ANSWER: 1,") && any.contains("NOERROR"))
            }
        }

        @Test(.timeLimit(.minutes(1))) func digHearsWhatIsWrong() async throws {
            try await serve { node in
                let version = try await node.dig("+edns=1", "+noednsneg", "shop.test", "SOA")
                #expect(version.contains("status: BADVERS") && version.contains("EDNS: version: 0"))
                #expect(version.contains("ANSWER: 0,"))
                #expect(try await node.dig("+opcode=15", "shop.test", "SOA").contains("status: NOTIMP"))
                let stranger = try await node.dig("other.test", "A")
                #expect(stranger.contains("status: REFUSED") && stranger.contains("EDE: 20 (Not Authoritative)"))
                #expect(try await node.dig("shop.test", "AXFR", "+tcp").contains("Transfer failed"))
                let subnet = try await node.dig("+subnet=203.0.113.77/32", "near.shop.test", "A")
                #expect(subnet.contains("CLIENT-SUBNET: 203.0.113.77/32/24") && subnet.contains("192.0.2.9"))
                let fixed = try await node.dig("+subnet=203.0.113.77/24", "www.shop.test", "A")
                #expect(fixed.contains("CLIENT-SUBNET: 203.0.113.0/24/0"))
                let unknown = try await node.dig("+ednsopt=100:0102", "+ednsflags=0x40", "shop.test", "SOA")
                #expect(unknown.contains("NOERROR") && !unknown.contains("OPT=100") && !unknown.contains("MBZ"))
            }
        }

        @Test(.timeLimit(.minutes(1))) func whatIsTooLargeIsAskedAgainOverTCP() async throws {
            try await serve { node in
                let first = try await node.dig("+nocookie", "+ignore", "big.shop.test", "TXT")
                #expect(first.contains("flags: qr aa tc;") && first.contains("ANSWER: 0,"))
                let whole = try await node.dig("+nocookie", "big.shop.test", "TXT")
                #expect(whole.contains("Truncated, retrying in TCP mode") && whole.contains("ANSWER: 1,"))
                let plain = try await node.dig("+noedns", "+ignore", "big.shop.test", "TXT")
                #expect(plain.contains(" tc;") && !plain.contains("OPT PSEUDOSECTION"))
            }
        }

        @Test(.timeLimit(.minutes(1))) func cookiesGoRoundWhereTheyAreDemanded() async throws {
            try await serve("  cookies: {required: true, secrets: [{file: one}, {file: two}]}") { node in
                let refused = try await node.dig("+cookie", "+nobadcookie", "www.shop.test", "A")
                #expect(refused.contains("status: BADCOOKIE") && refused.contains("(good)"))
                let retried = try await node.dig("+cookie", "www.shop.test", "A")
                #expect(retried.contains("BADCOOKIE, retrying") && retried.contains("192.0.2.1"))
                let knot = try await node.kdig("+cookie", "+badcookie", "www.shop.test", "A")
                #expect(knot.contains("status: NOERROR") && knot.contains("192.0.2.1"))
                #expect(try await node.dig("+nocookie", "www.shop.test", "A", "+short") == "192.0.2.1\n")
                #expect(try await node.dig("+cookie", "+tcp", "www.shop.test", "A", "+short") == "192.0.2.1\n")
            }
        }

        @Test(.timeLimit(.minutes(1))) func kdigKeepsItsConnection() async throws {
            try await serve { node in
                var words = ["+tcp", "+keepopen", "+nsid", "+noall", "+answer"]
                for number in 101...150 {
                    words += ["host0\(number - 100 < 10 ? "0" : "")\(number - 100).shop.test", "A"]
                }
                let text = try await node.ask("kdig", words)
                #expect(text.split(separator: "\n").filter { $0.contains("192.0.2.") }.count == 50)
                let alive = try await node.ask("dig", ["+tcp", "+keepalive", "shop.test", "SOA"])
                #expect(alive.contains("TCP KEEPALIVE: 10.0 secs"))
            }
        }

        @Test(.timeLimit(.minutes(1))) func dnsperfLosesNothing() async throws {
            try await serve { node in
                let lines = (1...50).map { "host0\($0 < 10 ? "0" : "")\($0).shop.test A" }
                let data = node.world.folder.appending(path: "queries").path
                try lines.joined(separator: "\n").write(toFile: data, atomically: false, encoding: .utf8)
                for mode in ["udp", "tcp"] {
                    let output = try await Command.run(
                        [
                            "dnsperf", "-s", Self.address, "-p", Self.port, "-d", data, "-n", "40", "-c", "4", "-m",
                            mode,
                            "-Q", "4000",
                        ], folder: node.world.folder, limit: .seconds(30))
                    #expect(output.text.contains("Queries lost:         0 (0.00%)"), "\(mode): \(output.text)")
                    #expect(output.text.contains("NOERROR 2000 (100.00%)"), "\(mode): \(output.text)")
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func dnspythonReadsEverything() async throws {
            try await serve { node in
                let script = node.world.folder.appending(path: "ask.py")
                try Self.script.write(to: script, atomically: false, encoding: .utf8)
                let output = try await Command.run(
                    ["/usr/bin/python3", script.path, Self.address, Self.port], folder: node.world.folder,
                    limit: .seconds(30))
                #expect(output.succeeded && output.trimmed == "all good", "\(output.text)\(output.errors)")
            }
        }

        private static let script = """
            import random, socket, struct, sys
            import dns.edns, dns.flags, dns.message, dns.name, dns.query, dns.rcode, dns.rdatatype

            host, port = sys.argv[1], int(sys.argv[2])

            def udp(name, kind, **options):
                return dns.query.udp(dns.message.make_query(name, kind, **options), host, port=port, timeout=2)

            # Pipelining: two hundred queries in one stream, cut where it pleases.
            asked = {}
            stream = b""
            for number in range(200):
                query = dns.message.make_query(f"host{number % 50 + 1:03}.shop.test", "A")
                query.id = number
                asked[number] = query
                wire = query.to_wire()
                stream += struct.pack("!H", len(wire)) + wire
            with socket.create_connection((host, port), 2) as connection:
                position = 0
                while position < len(stream):
                    length = random.randint(1, 400)
                    connection.sendall(stream[position:position + length])
                    position += length
                received = b""
                while asked:
                    chunk = connection.recv(65536)
                    assert chunk, "closed early"
                    received += chunk
                    while len(received) >= 2 and len(received) >= 2 + (length := struct.unpack("!H", received[:2])[0]):
                        reply = dns.message.from_wire(received[2:2 + length])
                        received = received[2 + length:]
                        assert asked.pop(reply.id).is_response(reply) and len(reply.answer) == 1

            # Case is kept, as 0x20 mixing wants it.
            reply = udp(dns.name.from_text("wWw.ShOp.TeSt."), "A")
            assert b"wWw" in reply.to_wire() and str(reply.question[0].name) == "wWw.ShOp.TeSt."

            # Names that a wildcard or a DNAME makes; empty non-terminals; what does not exist.
            assert udp("a.b.wild.shop.test", "TXT").answer[0][0].strings == (b"any",)
            chained = udp("a.b.old.shop.test", "TXT")
            assert [dns.rdatatype.to_text(s.rdtype) for s in chained.answer] == ["DNAME", "CNAME", "TXT"]
            assert udp("wild.shop.test", "A").rcode() == dns.rcode.NOERROR
            missing = udp("nobody.shop.test", "A")
            assert missing.rcode() == dns.rcode.NXDOMAIN and missing.authority[0].ttl == 60

            # EDNS: version 0, DO as it came, options that are unknown not repeated.
            reply = udp("shop.test", "SOA", use_edns=0, want_dnssec=True, payload=4096,
                        options=[dns.edns.GenericOption(100, b"x"), dns.edns.ECSOption("198.51.100.0", 24)])
            assert reply.edns == 0 and reply.ednsflags & dns.flags.DO and reply.payload == 1232
            assert [o.otype for o in reply.options] == [dns.edns.ECS] and reply.options[0].scopelen == 0

            # A cookie, and what it is worth: a large answer over UDP.
            cookie = dns.edns.GenericOption(10, bytes(8))
            given = udp("shop.test", "SOA", options=[cookie]).options[0]
            whole = udp("big.shop.test", "TXT", payload=4096, options=[dns.edns.GenericOption(10, given.data)])
            assert len(given.data) == 24 and whole.flags & dns.flags.TC, "1232 octets are the most"

            # Service bindings as dnspython writes them.
            https = udp("www.shop.test", "HTTPS").answer[0][0]
            assert https.priority == 1 and {int(key) for key in https.params} == {1, 3, 4, 6}

            # A reply gets no reply.
            probe = dns.message.make_query("shop.test", "SOA")
            probe.flags |= dns.flags.QR
            try:
                dns.query.udp(probe, host, port=port, timeout=0.3, ignore_unexpected=True)
                raise SystemExit("a reply to a reply")
            except dns.exception.Timeout:
                pass
            print("all good")
            """
    }
}
