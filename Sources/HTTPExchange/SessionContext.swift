package import Engine
package import HTTPWire
import Model

/// What the sessions of one worker share: memory to parse into and to write heads in, used and left within one call.
@safe
package final class SessionContext {
    /// A request head of the largest size, a response head, or both rewritten: 64 KiB hold any of them with additions.
    package static let scratchSize = 64 * 1024

    package let worker: Worker
    /// The head that was parsed last; valid until the next one is.
    package let request = RequestHead()
    package let scratch: UnsafeMutableRawBufferPointer
    /// Where the normal form of the last request's path stands.
    package let pathScratch: UnsafeMutableRawBufferPointer
    /// The node is stopping: connections close after the response under way.
    package var isDraining = false
    package private(set) var sessions = 0
    private var first: ServerSession?

    package init(worker: Worker) {
        self.worker = worker
        unsafe scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
        unsafe pathScratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
    }

    deinit {
        unsafe scratch.deallocate()
        unsafe pathScratch.deallocate()
    }

    func insert(_ session: ServerSession) {
        sessions += 1
        session.next = first
        first?.previous = session
        first = session
    }

    func remove(_ session: ServerSession) {
        sessions -= 1
        if let previous = session.previous { previous.next = session.next } else { first = session.next }
        session.next?.previous = session.previous
        session.next = nil
        session.previous = nil
    }

    /// Closes the sessions between two requests, and the others after their response.
    package func drain() {
        isDraining = true
        var session = first
        while let current = session {
            session = current.next
            current.drain()
        }
    }

    /// Closes every session.
    package func closeAll() {
        while let session = first { session.close() }
    }
}

/// The limits of one listener's sessions.
package struct SessionLimits: Sendable, Hashable {
    package var head: RequestHead.Limits
    /// Nanoseconds from a head's first octet to its end.
    package var headTimeout: UInt64
    /// Nanoseconds without progress of a body in either direction.
    package var bodyTimeout: UInt64
    /// Nanoseconds between requests.
    package var idleTimeout: UInt64

    package init(head: RequestHead.Limits, headTimeout: Duration, bodyTimeout: Duration, idleTimeout: Duration) {
        self.head = head
        self.headTimeout = UInt64(max(0, headTimeout.nanoseconds))
        self.bodyTimeout = UInt64(max(0, bodyTimeout.nanoseconds))
        self.idleTimeout = UInt64(max(0, idleTimeout.nanoseconds))
    }
}
