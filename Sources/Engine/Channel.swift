import Glibc

/// One descriptor in one worker's epoll, edge-triggered in both directions, with at most one deadline.
///
/// Confined to its worker. `register()` makes the worker keep it alive until `close()`; the object outlives the loop turn
/// in which it was closed, so that events of the same turn find it.
@safe
open class Channel {
    package final let worker: Worker
    /// -1 once closed, and for a channel that only keeps time.
    package final private(set) var descriptor: CInt
    private final var isRegistered = false

    // The timer wheel's fields. Intrusive: arming a timer allocates nothing.
    package final var deadline: UInt64 = 0
    final var slot = -1
    final var nextInSlot: Unmanaged<Channel>?
    final var previousInSlot: Unmanaged<Channel>?

    // The worker's list of registered channels.
    final var nextRegistered: Unmanaged<Channel>?
    final var previousRegistered: Unmanaged<Channel>?

    package init(worker: Worker, descriptor: CInt) {
        self.worker = worker
        self.descriptor = descriptor
    }

    /// Called when the descriptor became ready. Being edge-triggered, read and write until the socket would block.
    open func ready(_ readiness: Readiness) {}

    /// Called by a worker that waits here: blocks until there is something to do or `Worker.glanceInterval` is over, calls
    /// `Worker.turnBegins()`, and does it.
    open func waitAndServe() {}

    /// Called once after the deadline passed; there is none afterwards.
    open func deadlineReached() {}

    /// Called once, right before the descriptor is closed: the last chance to say how.
    open func closing() {}

    /// Called once, right after the descriptor was closed.
    open func closed() {}

    /// Adds the descriptor to the worker's epoll. On failure (ENOMEM, ENOSPC) the channel is closed.
    ///
    /// - Parameter levelTriggered: for sources that are read in bounded batches, such as listeners.
    package final func register(levelTriggered: Bool = false) {
        guard !isRegistered, descriptor >= 0 else { return }
        isRegistered = true
        worker.enlist(self)
        if !worker.poller.add(self, levelTriggered: levelTriggered) {
            ShortageCounts.process.note(Shortage(errno) ?? .memory)
            close()
        }
    }

    /// Has the worker wait here, in `waitAndServe()`, instead of in its poller.
    package final func waitHere() {
        guard !isRegistered, descriptor >= 0 else { return }
        isRegistered = true
        worker.enlist(self)
        worker.waitIn(self)
    }

    /// Asks for another `ready` call in a later turn, for an edge-triggered channel that stops before its socket is empty
    /// so that others have their turn. Costs a system call. Such a turn is a long one, so the
    /// clock is read again too.
    package final func renew() {
        worker.refreshClock()
        if isRegistered, descriptor >= 0 { worker.poller.renew(self) }
    }

    /// Calls `closing()`, closes the descriptor, forgets the deadline and calls `closed()`. A second call does nothing.
    package final func close() {
        guard descriptor >= 0 else { return }
        closing()
        clearDeadline()
        Glibc.close(descriptor)
        descriptor = -1
        if isRegistered { worker.discharge(self) }
        closed()
    }

    /// Calls `deadlineReached()` in `nanoseconds`, with the wheel's resolution of 16 ms. A new deadline replaces the old
    /// one; a later one costs a store.
    package final func setDeadline(after nanoseconds: UInt64) {
        deadline = worker.now &+ nanoseconds
        worker.timers.arm(self)
    }

    package final func clearDeadline() {
        deadline = 0
        worker.timers.disarm(self)
    }

    /// Forgets the deadline without taking the entry out of the wheel: a store, for deadlines that come and go with
    /// each request. The wheel drops the entry when it meets it.
    package final func suspendDeadline() { deadline = 0 }
}

/// Calls a closure at a time, for the few things that are no connection.
package final class Ticker: Channel {
    private let action: () -> Void

    package init(worker: Worker, _ action: @escaping () -> Void) {
        self.action = action
        super.init(worker: worker, descriptor: -1)
    }

    override public func deadlineReached() { action() }
}
