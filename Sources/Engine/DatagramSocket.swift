import CLinux
import Glibc
package import Model

/// Answers datagrams: bytes in, bytes out. Implemented by a struct, so that the loop is specialised for it.
package protocol DatagramAnswerer {
    /// Writes the answer to `query` into `room`.
    ///
    /// - Parameters:
    ///   - query: the datagram.
    ///   - client: who sent it.
    ///   - room: where the answer goes.
    ///   - now: monotonic nanoseconds of this loop turn.
    /// - Returns: the length of the answer; 0 sends nothing.
    mutating func answer(
        _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
        now: UInt64
    ) -> Int

    /// Called with a batch before its first `answer`: a chance to fetch what the answers will need.
    ///
    /// - Parameters:
    ///   - batch: what was received.
    ///   - count: datagrams in `batch`.
    mutating func anticipate(_ batch: DatagramBatch, count: Int)
}

extension DatagramAnswerer {
    package func anticipate(_ batch: DatagramBatch, count: Int) {}
}

/// A UDP socket of one worker, read and written in batches: either one of many channels, level-triggered, with a bounded
/// number of datagrams a turn, or what the worker waits in. Then a batch costs two system calls, one to wait and read and
/// one to write, where epoll takes four; and the kernel has no watcher to call for each datagram.
package final class DatagramSocket<Answerer: DatagramAnswerer>: Channel {
    package var answerer: Answerer
    package let address: SocketAddress
    /// Answers that the kernel would not take.
    package private(set) var unsent = 0
    /// Datagrams longer than `DatagramBatch.querySize`, dropped.
    package private(set) var oversized = 0
    private let batch: DatagramBatch
    /// Datagrams before timers and other channels have their turn.
    private static var turn: Int { 8 * DatagramBatch.size }

    /// Opens a socket. With `isWaitedIn` the worker waits in it, and looks at its other channels every
    /// `Worker.glanceInterval`; a worker has one such socket at most.
    package init(
        worker: Worker, address: SocketAddress, answerer: Answerer, isWaitedIn: Bool = false
    ) throws(SocketError) {
        let descriptor = try Socket.datagram(address)
        if isWaitedIn { Socket.setBlocking(descriptor, nanoseconds: Worker.glanceInterval) }
        self.address = Socket.localAddress(descriptor) ?? address
        self.answerer = answerer
        batch = DatagramBatch()
        super.init(worker: worker, descriptor: descriptor)
        if isWaitedIn { waitHere() } else { register(levelTriggered: true) }
    }

    override public func ready(_ readiness: Readiness) {
        var served = 0
        // Asking the socket again costs less than asking epoll whether to: under load most turns find more.
        while served < Self.turn {
            let received = batch.receive(descriptor)
            if received == 0 { break }
            served &+= received
            answer(received)
        }
    }

    override public func waitAndServe() {
        let received = batch.receive(descriptor, waits: true)
        worker.turnBegins()
        if received > 0 { answer(received) }
    }

    /// For how long datagrams may still be on their way into a socket that the kernel does not choose any more, in
    /// microseconds: another processor had chosen it a moment before.
    private static var afterglow: UInt32 { 2_000 }

    /// Leaves the port to the other sockets that share it, answers what has come, and closes. Closing alone would lose what
    /// waits in the socket.
    package func leave() {
        guard descriptor >= 0 else { return }
        Socket.stepAside(descriptor)
        answerAll()
        usleep(Self.afterglow)
        answerAll()
        close()
    }

    private func answerAll() {
        while true {
            let received = batch.receive(descriptor)
            if received == 0 { return }
            answer(received)
        }
    }

    private func answer(_ received: Int) {
        answerer.anticipate(batch, count: received)
        for index in 0..<received {
            guard let query = unsafe batch.query(index) else {
                oversized &+= 1
                continue
            }
            let length = unsafe answerer.answer(query, from: batch.sender(index), into: batch.room, now: worker.now)
            if length > 0 { batch.reply(length: length, to: index) }
        }
        if batch.pending > 0 { unsent &+= batch.send(descriptor) }
    }
}

/// The arrays that recvmmsg(2) and sendmmsg(2) want, allocated once.
@safe
package final class DatagramBatch {
    /// 64 datagrams a system call: past 32 the gain is below 2 %, and 64 still fit the second-level cache.
    package static let size = 64
    /// Octets of a query that are read; real ones stay below 512.
    package static let querySize = 2048
    /// Octets of an answer: the largest EDNS size that is ever offered.
    package static let answerSize = 4096
    /// From one query to the next: a cache line more than its size, because at a power of two all queries would meet in
    /// a few sets of the first-level cache.
    private static let stride = querySize + 64
    /// Room for one IP_PKTINFO or IPV6_PKTINFO message.
    private static let controlSize = 64

    private let received: UnsafeMutablePointer<mmsghdr>
    private let sent: UnsafeMutablePointer<mmsghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutablePointer<sockaddr_storage>
    private let queries: UnsafeMutableRawPointer
    private let answers: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    /// Entries whose lengths must be set before the next `receive`.
    private var used = DatagramBatch.size
    /// Answers that wait to be sent.
    package private(set) var pending = 0
    /// Where the next answer goes. They lie close together, so that a batch of small ones touches few pages.
    private var end = 0

    package init() {
        let size = Self.size
        unsafe received = .allocate(capacity: size)
        unsafe sent = .allocate(capacity: size)
        unsafe vectors = .allocate(capacity: 2 * size)
        unsafe names = .allocate(capacity: size)
        unsafe queries = .allocate(byteCount: size * Self.stride, alignment: 64)
        unsafe answers = .allocate(byteCount: size * Self.answerSize, alignment: 64)
        unsafe controls = .allocate(byteCount: size * Self.controlSize, alignment: 64)
        unsafe names.initialize(repeating: sockaddr_storage(), count: size)
        unsafe received.initialize(repeating: mmsghdr(), count: size)
        unsafe sent.initialize(repeating: mmsghdr(), count: size)
        for index in 0..<size {
            unsafe vectors[index] = iovec(iov_base: queries + index * Self.stride, iov_len: Self.querySize)
            unsafe vectors[size + index] = iovec(iov_base: answers, iov_len: 0)
            unsafe received[index].msg_hdr.msg_name = UnsafeMutableRawPointer(names + index)
            unsafe received[index].msg_hdr.msg_iov = vectors + index
            unsafe received[index].msg_hdr.msg_iovlen = 1
            unsafe received[index].msg_hdr.msg_control = controls + index * Self.controlSize
            unsafe sent[index].msg_hdr.msg_iov = vectors + size + index
            unsafe sent[index].msg_hdr.msg_iovlen = 1
        }
    }

    deinit {
        unsafe received.deallocate()
        unsafe sent.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe queries.deallocate()
        unsafe answers.deallocate()
        unsafe controls.deallocate()
    }

    /// Reads up to `size` datagrams and returns how many came. With `waits` the first one is waited for, as long as the
    /// socket is set to.
    package func receive(_ descriptor: CInt, waits: Bool = false) -> Int {
        // The kernel overwrote the lengths of the entries that it filled last time, and of no others.
        for index in 0..<used {
            unsafe received[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
            unsafe received[index].msg_hdr.msg_controllen = Self.controlSize
        }
        used = max(0, Int(unsafe meridian_recvmmsg(descriptor, received, UInt32(Self.size), waits)))
        return used
    }

    /// Datagram `index` of the last `receive`; nil when it was longer than `querySize`.
    package func query(_ index: Int) -> UnsafeRawBufferPointer? {
        if unsafe received[index].msg_hdr.msg_flags & CInt(MSG_TRUNC) != 0 { return nil }
        return unsafe UnsafeRawBufferPointer(
            start: queries + index &* Self.stride, count: Int(received[index].msg_len))
    }

    package func sender(_ index: Int) -> SocketAddress {
        unsafe Socket.socketAddress(UnsafeRawPointer(names + index))
    }

    /// Where the next answer is written.
    package var room: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: answers + end, count: Self.answerSize)
    }

    /// Addresses the answer in `room`, `length` octets long, to the sender of datagram `query`.
    package func reply(length: Int, to query: Int) {
        unsafe sent[pending].msg_hdr.msg_name = UnsafeMutableRawPointer(names + query)
        unsafe sent[pending].msg_hdr.msg_namelen = received[query].msg_hdr.msg_namelen
        // Sent back as received, packet information makes the answer leave from the address that was asked.
        let control = unsafe received[query].msg_hdr.msg_controllen
        unsafe sent[pending].msg_hdr.msg_control = control > 0 ? received[query].msg_hdr.msg_control : nil
        unsafe sent[pending].msg_hdr.msg_controllen = control
        unsafe vectors[Self.size + pending] = iovec(iov_base: answers + end, iov_len: length)
        pending &+= 1
        // The next one begins at a cache line.
        end = (end &+ length &+ 63) & ~63
    }

    /// Sends the answers and returns how many the kernel would not take.
    package func send(_ descriptor: CInt) -> Int {
        let count = pending
        pending = 0
        end = 0
        var taken = 0
        var position = 0
        while position < count {
            let result = unsafe Int(meridian_sendmmsg(descriptor, sent + position, UInt32(count - position)))
            if result > 0 {
                taken += result
                position += result
            } else if result < 0 && errno == EINTR {
                continue
            } else if result < 0 && (errno == EAGAIN || errno == ENOBUFS) {
                break
            } else {
                // This one cannot be sent (no route, refused by a filter); the others can.
                position += 1
            }
        }
        return count - taken
    }
}
