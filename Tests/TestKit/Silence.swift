import Glibc
package import Model

/// How a connection ended on which the client said nothing more.
package struct Silence: Sendable, CustomStringConvertible {
    package enum Ending: String, Sendable {
        case closed
        case reset
        /// Nothing happened for as long as the client was ready to wait.
        case never
    }

    /// What the server still said.
    package let text: String
    package let ending: Ending
    package let seconds: Double

    package var description: String { "\(ending.rawValue) after \(seconds) s, with \(text.debugDescription)" }
}

extension RawClient {
    /// Reads until the connection ends, by the server's doing or because the client's timeout is over.
    package func outwait() -> Silence {
        let start = ContinuousClock.now
        var all = ""
        var ending = Silence.Ending.closed
        do {
            all = try readToEnd()
        } catch {
            all = readBuffered()
            ending = error.code == ECONNRESET ? .reset : .never
        }
        return Silence(text: all, ending: ending, seconds: start.duration(to: .now) / .seconds(1))
    }
}

/// Runs what blocks on a thread of its own, so that the few threads of Swift's pool stay free for others.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let box = unsafe Unmanaged.passRetained(Box { continuation.resume(returning: body()) })
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        precondition(code == 0, "no thread: \(code)")
        pthread_detach(thread)
    }
}

private final class Box {
    let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }
}

/// A listener that takes no connection and whose queue is full: what connects to it hears nothing, as from a machine that
/// is gone.
package final class DeafListener {
    package let address: SocketAddress
    private var descriptors: [CInt] = []

    package init(_ host: IPAddress = IPAddress(v4: 0x7f00_0001)) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        descriptors = [listener]
        var inet = sockaddr_in()
        inet.sin_family = sa_family_t(AF_INET)
        inet.sin_addr.s_addr = host.v4.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &inet) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw RawClient.Failure(description: "listen: \(errno)", code: errno) }
        address = SocketAddress(host, port: UInt16(bigEndian: inet.sin_port))
        // A queue of 0 holds one connection; what comes then gets no answer to its SYN.
        for _ in 0..<4 {
            let filler = socket(
                AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            descriptors.append(filler)
            _ = unsafe withUnsafeMutablePointer(to: &inet) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(filler, $0, length) }
            }
        }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
