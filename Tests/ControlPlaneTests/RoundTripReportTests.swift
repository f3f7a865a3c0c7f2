import Federation
import Health
import Model
import Testing

@testable import ControlPlane

@Suite("Round trips in reports")
struct RoundTripReportTests {
    private func report(_ window: RoundTripWindow?, incarnation: UInt64 = 1) -> Report {
        Report(
            node: "l7-eu", tier: .l7, region: "eu", incarnation: incarnation, sequence: 7,
            issuedAt: Timestamp(milliseconds: 1_700_000_000_123), state: .serving, configuration: 1, pools: [],
            observations: [], rate: 1, roundTrips: window)
    }

    private func window(_ number: UInt64, _ prefix: String = "10.1.2.0/24") throws -> RoundTripWindow {
        RoundTripWindow(
            number: number,
            prefixes: [
                PrefixRoundTrips(
                    prefix: try #require(IPPrefix(prefix)),
                    counts: [.init(bucket: 3, samples: 2), .init(bucket: 47, samples: 65_535)])
            ])
    }

    @Test("They read back as they were, a line a prefix, and reports without them have no such member")
    func codec() throws {
        for prefix in ["10.1.2.0/24", "2001:db8:1::/48"] {
            let report = report(try window(9, prefix))
            let bytes = try ReportCodec.encode(report)
            #expect(try ReportCodec.decode(bytes) == report)
            #expect(String(decoding: bytes, as: UTF8.self).contains("\"\(prefix) 3:2 47:65535\""))
        }
        #expect(!String(decoding: try ReportCodec.encode(report(nil)), as: UTF8.self).contains("roundTrips"))
    }

    @Test("Lines that no node writes are refused")
    func malformed() throws {
        let text = String(decoding: try ReportCodec.encode(report(try window(9))), as: UTF8.self)
        for line in [
            "", "x 3:2", "10.1.2.1/24 3:2", "10.1.2.0/24 3", "10.1.2.0/24 3:2:1", "10.1.2.0/24 3:-2",
            "10.1.2.0/24 3:65536",
        ] {
            let broken = text.replacing("10.1.2.0/24 3:2 47:65535", with: line)
            #expect(throws: Refusal.malformed, "\(line)") { try ReportCodec.decode(Array(broken.utf8)) }
        }
    }

    @Test("What is too much, too wide or out of order is not acceptable")
    func limits() throws {
        let good = try window(1)
        #expect(report(good).isAcceptable(ReportLimits()))
        var bad: [RoundTripWindow] = []
        func changed(_ change: (inout RoundTripWindow) -> Void) {
            var window = good
            change(&window)
            bad.append(window)
        }
        changed { $0.number = 0 }
        changed { $0.prefixes += $0.prefixes }
        changed { $0.prefixes[0].prefix = IPPrefix($0.prefixes[0].prefix.address, length: 16) }
        changed { $0.prefixes[0].counts = [] }
        changed { $0.prefixes[0].counts.reverse() }
        changed { $0.prefixes[0].counts[1].bucket = 48 }
        changed { $0.prefixes[0].counts[0].samples = 0 }
        for window in bad { #expect(!report(window).isAcceptable(ReportLimits()), "\(window)") }
        let many = (0..<UInt32(RoundTripWindow.maximumPrefixes + 1)).map {
            PrefixRoundTrips(
                prefix: IPPrefix(IPAddress(v4: $0 << 8), length: 24), counts: [.init(bucket: 1, samples: 1)])
        }
        #expect(!report(RoundTripWindow(number: 1, prefixes: many)).isAcceptable(ReportLimits()))
        let most = RoundTripWindow(number: 1, prefixes: Array(many.dropLast()))
        #expect(report(most).isAcceptable(ReportLimits()))
        #expect(try ReportCodec.encode(report(most)).count < 20_000)
    }

    @Test("They are no news that wakes anybody")
    func substance() throws {
        #expect(report(try window(1)).substance == report(try window(2)).substance)
    }

    @Test("The tier gets each window once, and not what a state file remembers")
    func hearing() throws {
        var hearing = RoundTripHearing()
        let now = Timestamp(milliseconds: 1)
        func news(_ number: UInt64, incarnation: UInt64 = 1, isRestored: Bool = false) throws -> [UInt64] {
            let report = report(try window(number), incarnation: incarnation)
            return hearing.news(
                in: ["l7-eu": HeardReport(report: report, heardAt: now, isRestored: isRestored)], except: "dns-1"
            ).map(\.window.number)
        }
        #expect(try news(1, isRestored: true) == [])
        #expect(try news(1) == [1])
        #expect(try news(1) == [])
        #expect(try news(2) == [2])
        #expect(try news(1, incarnation: 2) == [1])
        #expect(
            hearing.news(in: ["dns-1": HeardReport(report: report(try window(5)), heardAt: now)], except: "dns-1") == []
        )
    }
}
