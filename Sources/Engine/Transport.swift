import CLinux
import Glibc

/// What a read or write came to.
package enum IOResult {
    case bytes(Int)
    case wouldBlock
    /// The peer sends no more (reads only).
    case endOfStream
    /// With an errno.
    case failed(CInt)
}

/// The byte stream under a connection. Codecs and tiers see these five calls and no socket, so that another transport
/// (TLS on the same descriptor) can stand in.
package struct Transport {
    package let descriptor: CInt

    package init(descriptor: CInt) { self.descriptor = descriptor }

    /// Reads once into the buffer's room. A result shorter than the room means that the socket is empty; a buffer without
    /// room reads nothing and says `.wouldBlock`.
    package func read(into buffer: inout Buffer) -> IOResult {
        guard buffer.space > 0 else { return .wouldBlock }
        var result = IOResult.wouldBlock
        unsafe buffer.fill { room in
            while true {
                let count = unsafe meridian_read(descriptor, room.baseAddress, room.count)
                if count > 0 {
                    result = .bytes(count)
                    return count
                }
                if count == 0 {
                    result = .endOfStream
                    return 0
                }
                if let error = Self.result(errno) {
                    result = error
                    return 0
                }
            }
        }
        return result
    }

    /// Reads once and throws away what came, at most 16 KiB.
    package func discard() {
        unsafe withUnsafeTemporaryAllocation(byteCount: Buffer.capacity, alignment: 8) { room in
            _ = unsafe meridian_read(descriptor, room.baseAddress, room.count)
        }
    }

    /// Whether there is nothing to read: neither octets nor the end of the stream, nor an error.
    package var isQuiet: Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
            let count = unsafe recv(descriptor, room.baseAddress, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
            return count < 0 && errno == EAGAIN
        }
    }

    /// Writes once; a closed peer is EPIPE, never a signal.
    package func write(_ bytes: RawSpan) -> IOResult {
        unsafe bytes.withUnsafeBytes { bytes in
            while true {
                let count = unsafe meridian_send(descriptor, bytes.baseAddress, bytes.count)
                if count >= 0 { return .bytes(count) }
                if let result = Self.result(errno) { return result }
            }
        }
    }

    /// Writes two pieces with one call, as for a head and its body.
    package func write(_ first: RawSpan, _ second: RawSpan) -> IOResult {
        if second.isEmpty { return write(first) }
        if first.isEmpty { return write(second) }
        return unsafe first.withUnsafeBytes { first in
            unsafe second.withUnsafeBytes { second in unsafe writeBoth(first, second) }
        }
    }

    private func writeBoth(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> IOResult {
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vector in
            unsafe vector[0] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
            unsafe vector[1] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
            var message = unsafe msghdr()
            unsafe message.msg_iov = vector.baseAddress
            unsafe message.msg_iovlen = 2
            while true {
                let count = unsafe meridian_sendmsg(descriptor, &message)
                if count >= 0 { return .bytes(count) }
                if let result = Self.result(errno) { return result }
            }
        }
    }

    /// Sends FIN; the other direction stays open.
    package func shutdownWrite() { _ = Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

    private static func result(_ error: CInt) -> IOResult? {
        if error == EINTR { return nil }
        return error == EAGAIN ? .wouldBlock : .failed(error)
    }
}
