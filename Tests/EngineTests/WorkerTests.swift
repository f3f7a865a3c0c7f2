import Engine
import Glibc
import Model
import Synchronization
import TestKit
import Testing

@Suite("Workers", .timeLimit(.minutes(1)))
struct WorkerTests {
    private static let loopback = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)

    /// Sends back what it reads.
    private final class Echo: Channel {
        private let transport: Transport

        init(worker: Worker, accepted: CInt) {
            transport = Transport(descriptor: accepted)
            super.init(worker: worker, descriptor: accepted)
        }

        override func ready(_ readiness: Readiness) {
            var buffer = Buffer()
            worker.buffers.lend(&buffer)
            defer { worker.buffers.reclaim(&buffer) }
            while true {
                switch transport.read(into: &buffer) {
                case .bytes:
                    _ = transport.write(buffer.readable)
                    buffer.clear()
                case .wouldBlock: return
                case .endOfStream, .failed:
                    close()
                    return
                }
            }
        }
    }

    @Test("A listener accepts, and a stopped group closes what is still open")
    func echo() async throws {
        let address = Mutex<SocketAddress?>(nil)
        let group = try WorkerGroup(count: 1, name: "test", counters: 1) { worker in
            let listener = try Listener(worker: worker, address: Self.loopback) { descriptor, _ in
                worker.counters.add(0)
                Echo(worker: worker, accepted: descriptor).register()
            }
            address.withLock { $0 = listener.address }
        }
        let target = try #require(address.withLock { $0 })
        for _ in 0..<10 {
            let client = try Socket.connect(target)
            defer { close(client) }
            try wait(client, POLLOUT)
            #expect(Socket.pendingError(client) == 0)
            let sent: [UInt8] = Array("hello".utf8)
            #expect(unsafe write(client, sent, sent.count) == 5)
            try wait(client, POLLIN)
            var received = [UInt8](repeating: 0, count: 16)
            #expect(unsafe read(client, &received, 16) == 5)
            #expect(Array(received.prefix(5)) == sent)
        }
        // One connection stays open on purpose.
        let last = try Socket.connect(target)
        try wait(last, POLLOUT)
        while group.total(0) < 11 { try await Task.sleep(for: .milliseconds(2)) }
        await group.stop()
        try wait(last, POLLIN)
        var nothing: UInt8 = 0
        #expect(unsafe read(last, &nothing, 1) == 0, "the connection was closed")
        close(last)
    }

    @Test("Messages arrive in order, and a set-up that fails reaches the caller")
    func messages() async throws {
        let seen = Mutex<[Int]>([])
        let group = try WorkerGroup(count: 1, name: "test", counters: 0) { _ in }
        for number in 0..<1_000 { group.broadcast { _ in seen.withLock { $0.append(number) } } }
        await group.stop()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
        #expect(throws: SocketError.self) {
            _ = try WorkerGroup(count: 2, name: "test", counters: 0) { worker in
                if worker.index == 1 { throw SocketError("bind", EADDRINUSE, Self.loopback) }
            }
        }
    }

    @Test("Deadlines fire in order")
    func deadlines() async throws {
        let fired = Mutex<[Int]>([])
        let group = try WorkerGroup(count: 1, name: "test", counters: 0) { worker in
            for (name, milliseconds) in [(3, 150), (1, 20), (2, 80)] {
                let ticker = Ticker(worker: worker) {
                    fired.withLock { $0.append(name) }
                    if name == 3 { worker.stop() }
                }
                ticker.setDeadline(after: UInt64(milliseconds) * 1_000_000)
            }
        }
        while fired.withLock({ $0.count }) < 3 { try await Task.sleep(for: .milliseconds(5)) }
        await group.stop()
        #expect(fired.withLock { $0 } == [1, 2, 3])
    }

    @Test("A deadline seconds away fires although nothing else happens", arguments: [false, true])
    func lonelyDeadline(waitsInSocket: Bool) async throws {
        let fired = Mutex<[Int]>([])
        let group = try WorkerGroup(count: 1, name: "test", counters: 0) { worker in
            if waitsInSocket {
                _ = try DatagramSocket(
                    worker: worker, address: Self.loopback, answerer: Reverser(), isWaitedIn: true)
            }
            // One soon after the other: both are out of the sight of a wait that begins now.
            for (name, milliseconds) in [(1, 2_300), (2, 3_700)] {
                Ticker(worker: worker) { fired.withLock { $0.append(name) } }
                    .setDeadline(after: UInt64(milliseconds) * 1_000_000)
            }
        }
        let end = ContinuousClock.now + .seconds(20)
        while fired.withLock({ $0.count }) < 2, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(fired.withLock { $0 } == [1, 2])
        await group.stop()
    }

    @Test("A thread that cannot be had is an error, and so is a log without one")
    func noThread() throws {
        // No address space is large enough for its stack.
        #expect(throws: SocketError.self) { try Thread.start(name: "huge", stackSize: 1 << 47) {} }
    }

    @Test("A group that has started hears its messages although nothing can be opened any more")
    func hearsWithoutDescriptors() async throws {
        for _ in 0..<50 {
            let group = try WorkerGroup(count: 2, name: "test", counters: 0) { _ in }
            // What a worker does after its set-up must not need a descriptor.
            await withoutDescriptors { await group.stop() }
        }
    }

    private struct Reverser: DatagramAnswerer {
        mutating func answer(
            _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
            now: UInt64
        ) -> Int {
            for index in 0..<query.count { unsafe room[index] = query[query.count - 1 - index] }
            return query.count
        }
    }

    @Test(
        "Datagrams are answered in batches, from the address that was asked",
        arguments: ["127.0.0.1", "0.0.0.0"], [false, true])
    func datagrams(bound: String, isWaitedIn: Bool) async throws {
        let address = Mutex<SocketAddress?>(nil)
        let any = SocketAddress(try #require(IPAddress(bound)), port: 0)
        let group = try WorkerGroup(count: 1, name: "test", counters: 0) { worker in
            let socket = try DatagramSocket(
                worker: worker, address: any, answerer: Reverser(), isWaitedIn: isWaitedIn)
            address.withLock { $0 = socket.address }
        }
        let port = try #require(address.withLock { $0?.port })
        // Another loopback address than the first: a wildcard socket must answer from it all the same.
        let asked = SocketAddress(IPAddress(v4: bound == "0.0.0.0" ? 0x7f00_0009 : 0x7f00_0001), port: port)
        let client = try Socket.datagram(Self.loopback)
        defer { close(client) }
        let connected = unsafe Socket.withSockaddr(asked) { unsafe Glibc.connect(client, $0, $1) }
        #expect(connected == 0)
        for number in UInt8(0)..<100 {
            let query: [UInt8] = [number, 1, 2]
            #expect(unsafe send(client, query, 3, 0) == 3)
        }
        for number in UInt8(0)..<100 {
            try wait(client, POLLIN)
            var answer = [UInt8](repeating: 0, count: 8)
            #expect(unsafe recv(client, &answer, 8, 0) == 3)
            #expect(Array(answer.prefix(3)) == [2, 1, number])
        }
        // Messages are heard wherever the worker waits.
        await withCheckedContinuation { continuation in group.broadcast { _ in continuation.resume() } }
        await group.stop()
    }

    private func wait(_ descriptor: CInt, _ events: CInt) throws {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let count = unsafe poll(&entry, 1, 10_000)
        try #require(count == 1, "nothing happened on the socket")
    }
}
