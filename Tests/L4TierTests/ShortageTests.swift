import ControlPlane
import Engine
import Glibc
import L4Tier
import Model
import TestKit
import Testing

@Suite("L4 without descriptors", .serialized, .timeLimit(.minutes(1))) struct L4ShortageTests {
    @Test("An endpoint for which we have no descriptor has not failed, and a PostgreSQL client is told the truth")
    func retryWithoutDescriptor() async throws {
        var options = Stage.Options()
        options.connect = .seconds(2)
        options.check = Stage.postgresql
        let (deaf, backend) = (try DeafListener(), try Backend())
        let stage = try Stage([deaf.address, backend.address], options)
        stage.set(0, .up)
        let client = try Client(stage.address())
        // It waits for the deaf endpoint; when that is given up there is no descriptor for the other one.
        #expect(await stage.eventually { stage.inFlight(0) == 1 })
        stage.set(1, .up)
        let startup: [UInt8] = [0, 0, 0, 9, 0, 3, 0, 0, 0]
        client.send(startup)
        let answer = await withoutDescriptors {
            await onThread { [descriptor = client.descriptor] in Self.readAll(descriptor) }
        }
        #expect(answer.contains("C53000\0"), "\(answer)")
        let slots = try #require(stage.health.endpoints.slots(for: stage.snapshot))
        #expect(stage.health.endpoints.failures(slots[1]) == 0)
        #expect(stage.inFlight(0) == 0 && stage.inFlight(1) == 0)
        #expect(stage.counter("connections_exhausted_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    private static func readAll(_ descriptor: CInt) -> String {
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &block, block.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += block[..<count]
        }
    }

    @Test("A client that cannot be accepted waits, and is served as soon as it can be")
    func acceptsLater() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        // Its socket is there before there are none.
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Socket.close(descriptor) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let missed = ShortageCounts.process[.descriptors]
        let address = stage.address()
        try await withoutDescriptors {
            let result = Socket.withSockaddr(address) { connect(descriptor, $0, $1) }
            #expect(result == 0)
            try await Task.sleep(for: .milliseconds(500))
        }
        let tries = ShortageCounts.process[.descriptors] - missed
        #expect((1..<20).contains(tries), "\(tries): a worker that cannot accept does not ask without end")
        #expect(Backend.write(descriptor, [7]))
        var octet: UInt8 = 0
        #expect(read(descriptor, &octet, 1) == 1 && octet == 7)
        await stage.server.stop(deadline: .zero)
    }
}
