import Federation
import FoundationEssentials
import Glibc
import Health
import Model
import TestKit
import Testing

@testable import ControlPlane

@Suite("The state file")
struct StateFileTests {
    private static func folder() throws -> String {
        let path = "/tmp/meridian-state-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func state(reports: Int = 2) throws -> SavedState {
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        let keyring = try #require(Fleet.keyring())
        return SavedState(
            node: "dns-1", savedAt: start,
            verdicts: [
                RememberedVerdict(site: VerdictSite(.service("shop"), in: "eu"), healthy: false, since: start),
                RememberedVerdict(
                    site: VerdictSite(
                        .address(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 443), of: .name("lone.test.")),
                        in: "us"), healthy: true, since: start,
                    heldUntil: start + .seconds(5)),
            ],
            overrides: [
                Override(
                    id: "ov-1", target: Override.Target(.region, "eu"), action: .drain, stamp: start,
                    expires: start + .seconds(60), author: "ana", reason: "wörk")
            ],
            reports: (0..<reports).map { index in
                SavedState.Heard(
                    signed: keyring.sign(Array("{\"report\":\(index)}".utf8)), heardAt: start + .seconds(index))
            },
            timelines: [
                Self.timeline(2),
                ClusterTimeline(
                    ClusterTimeline.Key(pool: "sales", region: "us", system: 0), timeline: 1,
                    accepted: 1_700_000_000_000),
            ])
    }

    private static func timeline(_ timeline: UInt32) -> ClusterTimeline {
        ClusterTimeline(
            ClusterTimeline.Key(pool: "orders", region: "eu", system: 7_711_647_256_397_477_686), timeline: timeline)
    }

    @Test("Timelines that are impossible damage a file, and a file of an older version has none")
    func timelines() throws {
        let body = #"{"node":"n","overrides":[],"reports":[],"savedAt":5,"verdicts":[]"#
        func read(_ timelines: String?) throws -> [ClusterTimeline] {
            let json = body + (timelines.map { #","timelines":[\#($0)]}"# } ?? "}")
            return try StateCodec.decode(StateCodec.framed(Array(json.utf8)), node: "n").timelines
        }
        let good = #"{"pool":"p","region":"r","system":"18446744073709551615","timeline":4294967295}"#
        #expect(try read(nil).isEmpty)
        #expect(try read(good).first?.timeline == .max)
        let bad = [
            good + "," + good, good.replacing("4294967295", with: "0"),
            good.replacing("\"18446744073709551615\"", with: "\"18446744073709551616\""),
            good.replacing("\"18446744073709551615\"", with: "\"07\""), good.replacing("\"p\"", with: "\"p\\u001b\""),
            good.replacing("\"p\"", with: "\"\(String(repeating: "p", count: 300))\""),
            good.dropLast() + #","accepted":-1}"#,
            (0..<257).map { good.replacing("\"p\"", with: "\"p\($0)\"") }.joined(separator: ","),
        ]
        for each in bad {
            #expect(throws: StateProblem.damaged("it says something impossible"), "\(each.prefix(200))") {
                try read(each)
            }
        }
        #expect(throws: StateProblem.self) { try read(good.replacing("4294967295", with: "4294967296")) }
    }

    @Test("A later timeline is saved at once, and a disk that does not take it is not asked ten times a second")
    func timelinePace() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/n.state"
        let keeper = StateKeeper(node: "dns-1", path: path, events: EventLog())
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        for (step, timeline) in ([1, 2, 2, 3] as [UInt32]).enumerated() {
            now = now + .milliseconds(100)
            keeper.pass(VerdictEngine(), OverrideSet(), [:], TimelineMemory([Self.timeline(timeline)]), now: now)
            let expected = UInt64([1, 2, 2, 3][step])
            #expect(await Fleet.wait { keeper.counters.writes == expected }, "\(step)")
            let saved = try StateCodec.decode(StateFile(path: path).read(limit: 10_000), node: "dns-1")
            #expect(saved.timelines == [Self.timeline(timeline)])
            // The thread that wrote says so a moment later.
            try await Task.sleep(for: .milliseconds(50))
        }
        let full = StateKeeper(node: "dns-1", path: "/proc/nowhere/at/all", events: EventLog())
        for _ in 0..<8 {
            now = now + .milliseconds(100)
            full.pass(VerdictEngine(), OverrideSet(), [:], TimelineMemory([Self.timeline(1)]), now: now)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(await Fleet.wait { full.counters.failures == 1 })
    }

    @Test("It reads back as it was")
    func roundTrip() throws {
        let state = try Self.state()
        let bytes = try StateCodec.encode(state)
        #expect(String(decoding: bytes.prefix(17), as: UTF8.self) == "meridian-state 1 ")
        #expect(try StateCodec.decode(bytes, node: "dns-1") == state)
        #expect(try StateCodec.encode(state) == bytes)
    }

    @Test("Every changed octet and every cut is noticed")
    func damage() async throws {
        let bytes = try StateCodec.encode(try Self.state())
        var random = SeededGenerator(seed: 7)
        for position in bytes.indices {
            await Task.yield()
            var changed = bytes
            changed[position] ^= 1 << UInt8.random(in: 0...7, using: &random)
            // The digits of a checksum may be written in capitals.
            guard let read = try? StateCodec.decode(changed, node: "dns-1") else { continue }
            #expect(read == (try StateCodec.decode(bytes, node: "dns-1")))
            #expect(
                String(decoding: changed, as: UTF8.self).lowercased()
                    == String(decoding: bytes, as: UTF8.self).lowercased())
        }
        for count in stride(from: 0, to: bytes.count, by: 7) {
            await Task.yield()
            #expect(throws: StateProblem.self) { try StateCodec.decode(Array(bytes.prefix(count)), node: "dns-1") }
        }
    }

    @Test("What is not ours is told from what is damaged")
    func problems() throws {
        let bytes = try StateCodec.encode(try Self.state())
        let text = String(decoding: bytes, as: UTF8.self)
        func problem(_ text: String, node: String = "dns-1") -> StateProblem? {
            do throws(StateProblem) {
                _ = try StateCodec.decode(Array(text.utf8), node: node)
                return nil
            } catch { return error }
        }
        #expect(problem("root:x:0:0:root:/root:/bin/bash\n") == .alien)
        #expect(problem(text.replacing("state 1 ", with: "state 2 ")) == .version("2"))
        #expect(problem(text, node: "dns-2") == .node("dns-1"))
        #expect(problem("") == .damaged("it is empty"))
        #expect(problem("meridian-state 1 x y\n") == .damaged("its first line makes no sense"))
        #expect(
            problem(String(text.dropLast()))
                == .damaged(
                    "\(bytes.split(separator: 0x0a, maxSplits: 1)[1].count - 1) octets of \(bytes.split(separator: 0x0a, maxSplits: 1)[1].count)"
                ))
        let ours = [StateProblem.missing, .damaged("x")]
        #expect(ours.allSatisfy { $0.isOurs })
        let others = [StateProblem.alien, .version("2"), .node("x"), .tooLarge(1), .unreadable("x")]
        #expect(others.allSatisfy { !$0.isOurs })
    }

    @Test("When everything does not fit, the reports that were heard least lately go first")
    func size() throws {
        var state = try Self.state(reports: 0)
        let start = state.savedAt
        state.reports = (0..<80).map { index in
            SavedState.Heard(
                signed: SignedReport(key: "k", bytes: Array(repeating: 0x61, count: 1000), signature: [1]),
                heardAt: start + .seconds(index))
        }
        let bytes = try StateCodec.encode(state, limit: 60_000)
        #expect(bytes.count <= 60_000)
        let read = try StateCodec.decode(bytes, node: "dns-1")
        #expect(read.verdicts == state.verdicts)
        #expect((20...60).contains(read.reports.count))
        #expect(read.reports.allSatisfy { $0.heardAt >= start + .seconds(80 - read.reports.count) })
    }

    @Test("A file is replaced as a whole, and a folder is made for it")
    func replace() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = StateFile(path: "\(folder)/state/dns-1.state")
        #expect(throws: StateProblem.missing) { try file.read(limit: 100) }
        try file.replace(with: [1, 2, 3])
        try file.replace(with: [4])
        #expect(try file.read(limit: 100) == [4])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/state") == ["dns-1.state"])
        #expect(throws: StateProblem.tooLarge(1)) { try file.read(limit: 0) }
        #expect(throws: StateProblem.unreadable("it is no regular file")) {
            try StateFile(path: folder).read(limit: 100)
        }
        #expect(throws: StateProblem.self) { try StateFile(path: "\(folder)/a/b/c").replace(with: [1]) }
        #expect(throws: StateProblem.self) { try StateFile(path: "\(folder)/state").replace(with: [1]) }
    }

    @Test("A damaged file is put aside and told, another's is left alone and never written over")
    func keeper() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/n.state"
        let events = EventLog()
        func load(_ bytes: [UInt8]) throws -> (SavedState?, StateKeeper) {
            try Data(bytes).write(to: URL(filePath: path))
            let keeper = StateKeeper(node: "dns-1", path: path, events: events)
            return (keeper.load(now: .now), keeper)
        }
        let good = try StateCodec.encode(try Self.state())
        let expected = try Self.state()
        #expect(try load(good).0 == expected)
        #expect(events.events().last?.text.contains("2 verdicts (1 down), 1 overrides, 2 reports") == true)

        let (damaged, ours) = try load(Array(good.dropLast(5)))
        #expect(damaged == nil)
        #expect(events.events().last?.text.contains("octets of") == true)
        #expect(FileManager.default.fileExists(atPath: path + ".refused"))
        await ours.finish(VerdictEngine(), OverrideSet(), [:])
        #expect(ours.counters.writes == 1)
        #expect(try StateCodec.decode(StateFile(path: path).read(limit: 1000), node: "dns-1").verdicts.isEmpty)

        let alien = Array("precious\n".utf8)
        let (nothing, theirs) = try load(alien)
        #expect(nothing == nil)
        #expect(events.events().last?.text.contains("nothing will be saved") == true)
        await theirs.finish(VerdictEngine(), OverrideSet(), [:])
        #expect(theirs.counters.writes == 0)
        #expect(try StateFile(path: path).read(limit: 100) == alien)
        #expect(StateKeeper(node: "dns-1", path: nil, events: events).load(now: .now) == nil)
    }

    @Test("It is written when something changed, at most once a second, and once a minute without a change")
    func pace() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let keeper = StateKeeper(node: "dns-1", path: "\(folder)/n.state", events: EventLog())
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        var overrides = OverrideSet()
        func pass(after: Duration) async -> UInt64 {
            now = now + after
            let before = keeper.counters.writes
            keeper.pass(VerdictEngine(), overrides, [:], now: now)
            _ = await Fleet.wait(.milliseconds(300)) { keeper.counters.writes > before }
            return keeper.counters.writes
        }
        #expect(await pass(after: .zero) == 1)
        #expect(await pass(after: .seconds(2)) == 1, "nothing changed")
        let word = try Self.state().overrides
        overrides = OverrideSet(word, now: word[0].stamp)
        #expect(await pass(after: .milliseconds(900)) == 1, "too soon")
        #expect(await pass(after: .milliseconds(100)) == 2)
        #expect(await pass(after: .seconds(60)) == 3)
        #expect(keeper.counters.failures == 0)
    }

    @Test("A disk that does not take it is told once, and tried again")
    func fullDisk() async throws {
        let events = EventLog()
        let keeper = StateKeeper(node: "dns-1", path: "/proc/nowhere/at/all", events: events)
        for _ in 0..<3 { await keeper.finish(VerdictEngine(), OverrideSet(), [:]) }
        #expect(keeper.counters.failures == 3)
        #expect(keeper.counters.writes == 0)
        #expect(events.events().count { $0.text.contains("cannot be saved") } == 1)
    }
}
