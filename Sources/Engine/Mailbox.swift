import CLinux
import Glibc
import Synchronization

/// How other threads reach a worker: messages are closures run between two events, in order. Used at control-plane rates.
package final class Mailbox: Sendable {
    let descriptor: CInt
    private let messages = Mutex<[@Sendable (Worker) -> Void]>([])

    init() throws(SocketError) {
        descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError("eventfd", errno) }
    }

    /// Runs `message` on the worker's thread, soon. May be called from any thread; after the worker stopped it does
    /// nothing.
    package func post(_ message: @escaping @Sendable (Worker) -> Void) {
        // Only the first message of a batch needs to wake the worker.
        let isFirst = messages.withLock { waiting in
            waiting.append(message)
            return waiting.count == 1
        }
        if isFirst { eventfd_write(descriptor, 1) }
    }

    func take() -> [@Sendable (Worker) -> Void] {
        var count: eventfd_t = 0
        unsafe eventfd_read(descriptor, &count)
        return messages.withLock { waiting in
            let taken = waiting
            waiting = []
            return taken
        }
    }

    /// A descriptor of its own for the channel that listens, so that either can be closed.
    func duplicate() throws(SocketError) -> CInt {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw SocketError("duplicate a mailbox", errno) }
        return duplicate
    }

    deinit { close(descriptor) }
}

/// The mailbox's descriptor in the worker's epoll.
package final class MailboxChannel: Channel {
    private let mailbox: Mailbox

    /// `descriptor` is the mailbox's, duplicated.
    init(worker: Worker, mailbox: Mailbox, descriptor: CInt) {
        self.mailbox = mailbox
        super.init(worker: worker, descriptor: descriptor)
    }

    override public func ready(_ readiness: Readiness) {
        for message in mailbox.take() { message(worker) }
    }
}
