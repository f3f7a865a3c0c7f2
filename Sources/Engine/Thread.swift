import CLinux
import Glibc

/// A detached POSIX thread. Data-plane threads are no part of Swift's cooperative pool.
package enum Thread {
    private final class Body {
        let name: String
        let run: () -> Void

        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts `body` on a new thread. Signals are blocked there: they belong to the main thread.
    ///
    /// - Parameters:
    ///   - name: of which the kernel keeps 15 characters.
    ///   - stackSize: octets; nil is what the system gives.
    ///   - body: runs once.
    /// - Throws: when the system has no thread left (a limit on processes, or memory).
    package static func start(
        name: String, stackSize: Int? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(SocketError) {
        let context = unsafe Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        // A thread inherits its creator's mask.
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        if let stackSize { unsafe pthread_attr_setstacksize(&attributes, stackSize) }
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), String(body.name.prefix(15)))
                body.run()
                return nil
            }, context)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw SocketError("start thread \(name)", code)
        }
        pthread_detach(thread)
    }
}
