import Engine
import Glibc
import Model
import Testing

@Suite("Tables and logs")
struct TablesTests {
    private func snapshot(_ ports: [UInt16], checked: Bool) -> Snapshot {
        let probe = HealthCheck(probe: .tcp, interval: .seconds(1), timeout: .seconds(1), rise: 1, fall: 1)
        let limit = Duration.seconds(1)
        let pool = Pool(
            name: "web", kind: .http, service: nil, balance: .roundRobin, check: checked ? probe : nil, ejection: nil,
            timeouts: PoolTimeouts(connect: limit, response: limit, idle: limit), keepalive: 1,
            endpoints: ports.indices.map(EndpointID.init), closeOnDown: true)
        let endpoints = ports.map {
            Endpoint(
                pool: PoolID(0), region: RegionID(0), address: SocketAddress(IPAddress(v4: 1), port: $0), weight: 1)
        }
        return Snapshot(
            fingerprint: 0,
            regions: [Region(name: "here", location: Location(), address: nil, capacity: nil)], nodes: [], services: [],
            pools: [pool], endpoints: endpoints,
            dns: DNSPlan(port: 53, zones: [], locations: nil, maximumUDPSize: 1232),
            http: HTTPPlan(listeners: [], routes: []), tcp: TCPPlan(listeners: []),
            federation: FederationPlan(
                keys: [], interval: limit, staleAfter: limit, clockSkew: limit, failStaticShare: 60,
                damping: Damping(rise: limit, fall: limit)))
    }

    @Test("An endpoint keeps its slot, state and counters over a reload")
    func slots() throws {
        let table = EndpointTable()
        let first = try #require(table.slots(for: snapshot([1, 2, 3], checked: true)))
        #expect(!table.state(first[1]).isUsable, "an unchecked endpoint waits for its first result")
        table.insert([.up, .checked], at: first[1])
        table.began(first[1])
        table.count(success: true, at: first[1])
        let second = try #require(table.slots(for: snapshot([2, 4], checked: true)))
        #expect(second[0] == first[1])
        #expect(!first.contains(second[1]))
        #expect(table.state(second[0]).isUsable)
        #expect(table.inFlight(second[0]) == 1)
        #expect(table.successes(second[0]) == 1)
    }

    @Test("Only up, not draining and not ejected is usable, and each change is noticed once")
    func states() throws {
        let table = EndpointTable()
        let slot = try #require(table.slots(for: snapshot([1], checked: false))?.first)
        #expect(table.state(slot).isUsable)
        let before = table.changes
        for blocked in [EndpointState.draining, .ejected] {
            #expect(table.insert(blocked, at: slot))
            #expect(!table.insert(blocked, at: slot))
            #expect(!table.state(slot).isUsable)
            #expect(table.remove(blocked, at: slot))
        }
        #expect(table.changes == before + 4)
        table.insert(.primary, at: slot)
        #expect(table.state(slot).holds(.primary) && !table.state(slot).holds(.replica))
    }

    @Test func aRingGivesWholeLinesAndCountsWhatFindsNoRoom() {
        let ring = LogRing(capacity: 64)
        let line = [UInt8](repeating: 7, count: 40)
        for expected in [true, false] {
            #expect(line.withUnsafeBytes { unsafe ring.append($0) } == expected)
        }
        #expect(ring.dropped == 1)
        #expect(ring.take() == line && ring.take() == [])
        // Around the end of the ring.
        #expect(line.withUnsafeBytes { unsafe ring.append($0) })
        #expect(ring.take() == line)
    }

    @Test("The access log writes every line in order, and counts those that found no room")
    func accessLog() throws {
        let path = "/tmp/meridian-access-\(getpid()).log"
        defer { unlink(path) }
        let log = try AccessLog(path: path, workers: 1)
        let lines = (0..<5_000).map { "line \($0)\n" }
        for line in lines { Array(line.utf8).withUnsafeBytes { _ = unsafe log.ring(0).append($0) } }
        log.stop()
        let file = try #require(unsafe fopen(path, "r"))
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == lines.joined())

        let ring = LogRing()
        let block = [UInt8](repeating: 0x61, count: 300 << 10)
        let taken = (0..<5).count { _ in block.withUnsafeBytes { unsafe ring.append($0) } }
        #expect(taken == 3)
        #expect(ring.dropped == 2)
    }

    @Test("A published table is seen by its new generation")
    func published() {
        final class Table: Sendable {
            let value: Int
            init(_ value: Int) { self.value = value }
        }
        let table = Published(Table(1))
        let generation = table.generation
        table.publish(Table(2))
        #expect(table.generation != generation)
        #expect(table.load().value == 2)
    }

    @Test(
        "A buffer takes octets behind those that it has, drops them in front or between, and is vacant without a block")
    func buffers() throws {
        let worker = try Worker(index: 0, counters: CounterBlock(count: 0))
        var buffer = Buffer()
        #expect(buffer.isVacant && buffer.isEmpty && buffer.space == 0)
        #expect(append(Array("lost".utf8), to: &buffer) == 0)
        worker.buffers.lend(&buffer)
        worker.buffers.lend(&buffer)
        #expect(worker.buffers.lent == 1)
        #expect(append(Array("abcdefgh".utf8), to: &buffer) == 8)
        buffer.consume(2)
        buffer.remove(1..<3)
        #expect(octets(buffer) == "cfgh")
        buffer.remove(3..<4)
        buffer.compact()
        #expect(octets(buffer) == "cfg")
        buffer.withMutableBytes(from: 1) { bytes in
            var bytes = bytes
            bytes.withUnsafeMutableBytes { $0[0] = 0x58 }
        }
        #expect(octets(buffer) == "cXg")
        #expect(buffer.space == Buffer.capacity - 3)
        let large = [UInt8](repeating: 1, count: Buffer.capacity)
        #expect(append(large, to: &buffer) == Buffer.capacity - 3)
        worker.buffers.reclaim(&buffer)
        worker.buffers.reclaim(&buffer)
        #expect(worker.buffers.lent == 0 && buffer.isVacant)
    }

    private func append(_ octets: [UInt8], to buffer: inout Buffer) -> Int {
        octets.withUnsafeBytes { buffer.append($0.bytes) }
    }

    private func octets(_ buffer: borrowing Buffer) -> String {
        buffer.readable.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
