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

    /// Reads once. A result shorter than the room means that the socket is empty.
    package func read(into room: UnsafeMutableRawBufferPointer) -> IOResult {
        while true {
            let count = unsafe meridian_read(descriptor, room.baseAddress, room.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            if let result = Self.result(errno) { return result }
        }
    }

    /// Writes once; a closed peer is EPIPE, never a signal.
    package func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        while true {
            let count = unsafe meridian_send(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return .bytes(count) }
            if let result = Self.result(errno) { return result }
        }
    }

    /// Writes two pieces with one call, as for a head and its body.
    package func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> IOResult {
        if unsafe second.isEmpty { return unsafe write(first) }
        if unsafe first.isEmpty { return unsafe write(second) }
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vector in
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
