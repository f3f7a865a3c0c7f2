import ControlPlane
import Federation
import Model
import Testing

@Suite("Reports as JSON")
struct ReportCodecTests {
    private let report = Report(
        node: "l7-eu", tier: .l7, region: "eu", incarnation: 1_700_000_000_000, sequence: 7,
        issuedAt: Timestamp(milliseconds: 1_700_000_000_123), state: .draining, configuration: .max,
        pools: [
            PoolFact(
                pool: "p", service: nil, up: 1, total: 2, primaries: 1, replicas: 0, inFlight: 3, ratePerSecond: 0.1,
                errorRate: 0.25, p50Milliseconds: 1, p99Milliseconds: 2.5, troubles: ["\"x\" : /ü"])
        ],
        observations: [
            Observation(service: "s", region: "us", up: false, reason: "refused"),
            Observation(
                service: "s", region: "eu", up: true,
                down: [AddressTrouble(address: SocketAddress(IPAddress(v6: 1, 2), port: 443), reason: "refused")],
                tellsAddresses: true),
        ], rate: 12.5,
        overrides: [
            Override(
                id: "ov-1", target: Override.Target(.name, "www.*", region: "eu-?"), action: .down,
                stamp: Timestamp(milliseconds: 1_700_000_000_000), expires: Timestamp(milliseconds: 1_700_000_060_000),
                author: "ana", reason: "\"quoted\"", isReleased: true, against: ["two-regions"])
        ])

    @Test("A report reads back as it was, and equal reports have equal bytes")
    func roundTrip() throws {
        let bytes = try ReportCodec.encode(report)
        #expect(try ReportCodec.decode(bytes) == report)
        #expect(try ReportCodec.encode(report) == bytes)
    }

    @Test("What a peer writes cannot act upon a terminal")
    func controlCharacters() throws {
        var rude = report
        rude.pools[0].troubles = ["\u{1b}[2J\u{7}down\r\nup\u{202e}"]
        rude.observations[0].reason = "\u{9b}31m"
        let read = try ReportCodec.decode(try ReportCodec.encode(rude))
        #expect(read.pools[0].troubles == ["\u{FFFD}[2J\u{FFFD}down  up\u{FFFD}"])
        #expect(read.observations[0].reason == "\u{FFFD}31m")
    }

    @Test("Members of a newer version are ignored, missing and impossible ones are refused")
    func versions() throws {
        let text = String(decoding: try ReportCodec.encode(report), as: UTF8.self)
        let newer = text.replacing("\"node\":", with: "\"future\":{\"a\":[1]},\"node\":")
        #expect(try ReportCodec.decode(Array(newer.utf8)) == report)
        let broken = [
            "", "[]", "{}", text.replacing("\"tier\":\"l7\"", with: "\"tier\":\"l9\""),
            text.replacing("\"state\":\"draining\"", with: "\"state\":\"dancing\""),
            text.replacing("\"sequence\":7", with: "\"sequence\":-7"),
            text.replacing("\"sequence\":7", with: "\"sequence\":\"7\""),
            text.replacing("\"issuedAt\":1700000000123", with: "\"issuedAt\":9223372036854775807"),
            String(text.dropLast()),
        ]
        for text in broken {
            #expect(throws: Refusal.malformed) { try ReportCodec.decode(Array(text.utf8)) }
        }
    }

    @Test("Addresses that did not answer are told, and older nodes tell of none")
    func addresses() throws {
        let text = String(decoding: try ReportCodec.encode(report), as: UTF8.self)
        #expect(
            text.contains(#""down":[{"address":"[::1:0:0:0:2]:443","reason":"refused"}],"othersUp":true"#), "\(text)")
        let older = text.replacing(#""othersUp":true,"#, with: "")
            .replacing(#""down":[{"address":"[::1:0:0:0:2]:443","reason":"refused"}],"#, with: "")
        let seen = try #require(try ReportCodec.decode(Array(older.utf8)).observations.last)
        #expect(seen.up && seen.down.isEmpty && !seen.tellsAddresses)
        let broken = text.replacing("[::1:0:0:0:2]:443", with: "nowhere")
        #expect(throws: Refusal.malformed) { try ReportCodec.decode(Array(broken.utf8)) }
    }

    @Test("Impossible overrides are refused, and a report of a node that knows of none has none")
    func overrides() throws {
        let text = String(decoding: try ReportCodec.encode(report), as: UTF8.self)
        let broken = [
            text.replacing("\"kind\":\"name\"", with: "\"kind\":\"planet\""),
            text.replacing("\"action\":\"down\"", with: "\"action\":\"sideways\""),
            text.replacing("\"stamp\":1700000000000", with: "\"stamp\":-1"),
            text.replacing("\"stamp\":1700000000000", with: "\"stamp\":9223372036854775807"),
            text.replacing("\"expires\":1700000060000", with: "\"expires\":\"soon\""),
            text.replacing("\"pattern\":\"www.*\"", with: "\"pattern\":\"WWW.*\""),
            text.replacing("\"pattern\":\"www.*\"", with: "\"pattern\":\"www.test\""),
            text.replacing("\"against\":[\"two-regions\"]", with: "\"against\":null"),
        ]
        for text in broken {
            #expect(throws: Refusal.malformed, "\(text)") { try ReportCodec.decode(Array(text.utf8)) }
        }
        var plain = report
        plain.overrides = []
        let bytes = try ReportCodec.encode(plain)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("overrides"))
        #expect(try ReportCodec.decode(bytes).overrides == [])
    }

    @Test("Overrides that no node would make are not acceptable")
    func limits() {
        let good = report.overrides[0]
        #expect(good.isAcceptable)
        func changed(_ change: (inout Override) -> Void) -> Override {
            var override = good
            change(&override)
            return override
        }
        let bad = [
            changed { $0.id = "" }, changed { $0.target.pattern = "" }, changed { $0.target.region = "" },
            changed { $0.reason = String(repeating: "x", count: 201) }, changed { $0.author = "a\nb" },
            changed { $0.expires = $0.stamp - .milliseconds(1) },
            changed { $0.expires = $0.stamp + Override.longest + .milliseconds(1) },
            changed { $0.against = Array(repeating: "r", count: 9) },
            changed { $0.stamp = Timestamp(milliseconds: -1) },
        ]
        for override in bad { #expect(!override.isAcceptable) }
        var crowded = report
        crowded.overrides = Array(repeating: good, count: ReportLimits().overrides + 1)
        #expect(!crowded.isAcceptable(ReportLimits()))
        crowded.overrides.removeLast()
        #expect(crowded.isAcceptable(ReportLimits()))
    }

    @Test("A batch carries the exact bytes that were signed")
    func batch() throws {
        let keyring = try #require(Keyring([("k1", Array("0123456789abcdef".utf8))]))
        let signed = keyring.sign(try ReportCodec.encode(report))
        let batch = ReportBatch(
            node: "x", cursor: 42, items: [ReportBatch.Item(signed: signed, age: .milliseconds(1500))])
        let decoded = try ReportCodec.decodeBatch(try ReportCodec.encode(batch))
        #expect(decoded == batch)
        #expect(decoded.items.allSatisfy { keyring.verifies($0.signed) })
        for text in [#"{"cursor":1,"node":"a","reports":[{"age":-1,"key":"k","report":"","signature":""}]}"#, "nope"] {
            #expect(throws: Refusal.malformed) { try ReportCodec.decodeBatch(Array(text.utf8)) }
        }
    }
}
