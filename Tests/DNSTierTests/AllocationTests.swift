import CMallocCount
import DNSWire
import Engine
import Model
import Testing

@testable import DNSTier

/// Zero allocations per query, counted.
@Suite struct AllocationTests {
    @Test func answeringAllocatesNothing() throws {
        let sets = "\nmany A 192.0.2.1\nmany A 192.0.2.2\nmany A 192.0.2.3\n*.many MX 10 a\n*.many MX 20 b.far.test.\n"
        let world = try SteeredServer(zone: SteeredServer.zone + sets)
        let responder = world.server.worker.responder
        let geo = QueryText.EDNS.subnet("10.1.2.0", source: 24)
        let questions: [(what: String, query: [UInt8])] = [
            ("static", try QueryText("static.shop.test.", .a).octets),
            ("static with EDNS", try QueryText("static.shop.test.", .a, edns: .init(flags: 0x8000)).octets),
            ("no data", try QueryText("static.shop.test.", .mx).octets),
            ("no such name", try QueryText("x.y.missing.shop.test.", .a).octets),
            ("wildcard", try QueryText("a.b.wild.shop.test.", .a).octets),
            ("a set in turns", try QueryText("many.shop.test.", .a).octets),
            ("a set in turns for a longer name", try QueryText("x.many.shop.test.", .mx).octets),
            ("alias", try QueryText("a.old.shop.test.", .a).octets),
            ("dynamic by prefix", try QueryText("www.shop.test.", .a).octets),
            ("dynamic by subnet", try QueryText("www.shop.test.", .a, edns: geo).octets),
            ("weighted", try QueryText("weighted.shop.test.", .a).octets),
            (
                "cookie and identity",
                try QueryText(
                    "static.shop.test.", .a,
                    edns: QueryText.EDNS(options: [(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8]), (code: 3, data: [])])
                ).octets
            ),
            ("any", try QueryText("static.shop.test.", .any).octets),
            ("refused", try QueryText("other.test.", .a).octets),
            ("broken", Array(try QueryText("static.shop.test.", .a).octets.dropLast(3))),
        ]
        let stale = [
            ("stale", try QueryText("www.shop.test.", .a).octets),
            ("stale by subnet", try QueryText("www.shop.test.", .a, edns: geo).octets),
        ]
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
        defer { unsafe output.deallocate() }
        let client = IPAddress(v4: 0x0a01_0203)
        for (what, query) in questions + stale {
            if what == stale[0].0 {
                world.publish([
                    Verdict(
                        service: try #require(world.preparation.snapshot.service(named: "shop")), region: RegionID(0),
                        healthy: true, since: Timestamp(nanoseconds: 0), stale: true, reasons: [])
                ])
                world.compile()
            }
            let allocations = query.withUnsafeBytes { query in
                var answered = 0
                let before = meridian_allocations()
                for _ in 0..<10_000 {
                    let count = unsafe responder.pointee.answer(query, from: client, over: .udp, into: output)
                    answered += count > 0 ? 1 : 0
                }
                let after = meridian_allocations()
                #expect(answered == 10_000, "\(what)")
                return after - before
            }
            // Without optimisation, the generic code of the prefix look-up keeps values on the heap.
            #if DEBUG
            #expect(allocations <= 40_000, "\(what)")
            #else
            #expect(allocations == 0, "\(what)")
            #endif
        }
        // The counter counts.
        let before = meridian_allocations()
        let array = [UInt8](repeating: 1, count: Int(client.v4 & 0xff) + 1000)
        #expect(meridian_allocations() > before && array.count > 1000)
    }

    /// A worker that records every query and samples every answer to be explained, and whose rings fill up meanwhile.
    @Test(arguments: [LogSettings.Format.json, .text]) func loggingAllocatesNothing(format: LogSettings.Format) throws {
        let world = try SteeredServer()
        let worker = try Worker(index: 0, counters: CounterBlock(count: QueryCounter.allCases.count))
        let (ring, lines) = (LogRing(capacity: AnswerSampler.ringSize), LogRing(capacity: 1 << 18))
        let log = QueryLog(
            record: AccessRecord(lines, LogSettings(format: format), of: world.preparation.node),
            sampler: AnswerSampler(ring: ring, sample: 1), worker: worker)
        log.turnEnded(world.server.worker)
        let desk = unsafe DatagramGuard(
            responder: world.server.worker.responder, log: log, limits: nil, proxies: nil, seed: 1)
        let query = try QueryText("weighted.shop.test.", .a).octets
        let client = SocketAddress(IPAddress(v4: 0x0a01_0203), port: 4000)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
        defer { unsafe output.deallocate() }
        // The first one makes what stays.
        _ = query.withUnsafeBytes { unsafe desk.answer($0, from: client, into: output, now: 0) }
        let before = meridian_allocations()
        query.withUnsafeBytes { query in
            for _ in 0..<10_000 { _ = unsafe desk.answer(query, from: client, into: output, now: 0) }
        }
        let allocations = meridian_allocations() - before
        #expect(allocations == 0)
        let samples = AnswerSample.read(ring.take())
        #expect(lines.dropped > 0)
        #expect(samples.count > 300 && samples.count + Int(ring.dropped) == 10_001)
        #expect(samples.allSatisfy { $0.source == client && $0.reply.answer.count == 1 && $0.generation == 1 })
    }
}
