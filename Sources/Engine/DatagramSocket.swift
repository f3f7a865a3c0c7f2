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
}

/// A UDP socket of one worker, read and written in batches. Level-triggered, with a bounded number of batches a turn.
package final class DatagramSocket<Answerer: DatagramAnswerer>: Channel {
    package var answerer: Answerer
    package let address: SocketAddress
    /// Answers that the kernel would not take.
    package private(set) var unsent = 0
    /// Datagrams longer than `DatagramBatch.querySize`, dropped.
    package private(set) var oversized = 0
    private let batch: DatagramBatch

    package init(worker: Worker, address: SocketAddress, answerer: Answerer) throws(SocketError) {
        let descriptor = try Socket.datagram(address)
        self.address = Socket.localAddress(descriptor) ?? address
        self.answerer = answerer
        batch = DatagramBatch()
        super.init(worker: worker, descriptor: descriptor)
        register(levelTriggered: true)
    }

    override public func ready(_ readiness: Readiness) {
        // 8 batches: 512 datagrams before timers and other channels have their turn.
        for _ in 0..<8 {
            let received = batch.receive(descriptor)
            if received == 0 { break }
            var pending = 0
            for index in 0..<received {
                guard let query = unsafe batch.query(index) else {
                    oversized &+= 1
                    continue
                }
                let length = unsafe answerer.answer(
                    query, from: batch.sender(index), into: batch.room(pending), now: worker.now)
                if length > 0 {
                    batch.reply(pending, length: length, to: index)
                    pending &+= 1
                }
            }
            if pending > 0 { unsent &+= pending &- batch.send(descriptor, count: pending) }
            if received < DatagramBatch.size { break }
        }
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

    package init() {
        let size = Self.size
        unsafe received = .allocate(capacity: size)
        unsafe sent = .allocate(capacity: size)
        unsafe vectors = .allocate(capacity: 2 * size)
        unsafe names = .allocate(capacity: size)
        unsafe queries = .allocate(byteCount: size * Self.querySize, alignment: 64)
        unsafe answers = .allocate(byteCount: size * Self.answerSize, alignment: 64)
        unsafe controls = .allocate(byteCount: size * Self.controlSize, alignment: 64)
        unsafe names.initialize(repeating: sockaddr_storage(), count: size)
        unsafe received.initialize(repeating: mmsghdr(), count: size)
        unsafe sent.initialize(repeating: mmsghdr(), count: size)
        for index in 0..<size {
            unsafe vectors[index] = iovec(iov_base: queries + index * Self.querySize, iov_len: Self.querySize)
            unsafe vectors[size + index] = iovec(iov_base: answers + index * Self.answerSize, iov_len: 0)
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

    /// Reads up to `size` datagrams and returns how many came.
    package func receive(_ descriptor: CInt) -> Int {
        // The kernel overwrote the lengths of the entries that it filled last time, and of no others.
        for index in 0..<used {
            unsafe received[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
            unsafe received[index].msg_hdr.msg_controllen = Self.controlSize
        }
        used = max(0, Int(unsafe meridian_recvmmsg(descriptor, received, UInt32(Self.size))))
        return used
    }

    /// Datagram `index` of the last `receive`; nil when it was longer than `querySize`.
    package func query(_ index: Int) -> UnsafeRawBufferPointer? {
        if unsafe received[index].msg_hdr.msg_flags & CInt(MSG_TRUNC) != 0 { return nil }
        return unsafe UnsafeRawBufferPointer(
            start: queries + index &* Self.querySize, count: Int(received[index].msg_len))
    }

    package func sender(_ index: Int) -> SocketAddress {
        unsafe Socket.socketAddress(UnsafeRawPointer(names + index))
    }

    /// Where answer number `index` is written.
    package func room(_ index: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: answers + index &* Self.answerSize, count: Self.answerSize)
    }

    /// Addresses answer `index`, `length` octets long, to the sender of datagram `query`.
    package func reply(_ index: Int, length: Int, to query: Int) {
        unsafe sent[index].msg_hdr.msg_name = UnsafeMutableRawPointer(names + query)
        unsafe sent[index].msg_hdr.msg_namelen = received[query].msg_hdr.msg_namelen
        // Sent back as received, packet information makes the answer leave from the address that was asked.
        let control = unsafe received[query].msg_hdr.msg_controllen
        unsafe sent[index].msg_hdr.msg_control = control > 0 ? received[query].msg_hdr.msg_control : nil
        unsafe sent[index].msg_hdr.msg_controllen = control
        unsafe vectors[Self.size + index].iov_len = length
    }

    /// Sends the first `count` answers and returns how many the kernel took.
    package func send(_ descriptor: CInt, count: Int) -> Int {
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
        return taken
    }
}
