import Logging
import Model
import ServiceLifecycle
import UnixSignals

/// The health loop and its tick, until the group stops it after everything else.
struct HealthService: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        async let work: Void = running.work()
        try? await gracefulShutdown()
        await running.stopWatching()
        await work
    }
}

/// The federation and admin listeners, which were opened at boot.
struct ControlListeners: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        try? await gracefulShutdown()
        await running.closeListeners()
    }
}

/// SIGHUP loads the topology anew.
struct ReloadOnHangup: ServiceLifecycle.Service {
    let running: RunningNode
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            // Either outcome is recorded as an event, which is logged.
            _ = try? running.reload()
        }
    }
}

/// Users' traffic: closes the listeners, lets what is under way finish.
struct Traffic: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        try? await gracefulShutdown()
        running.plane.stopAccepting()
        await running.plane.stop(deadline: running.state.configuration.me.drainTimeout)
    }
}

/// The first to be stopped: tells the peers before any listener closes.
struct Farewell: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        try? await gracefulShutdown()
        await running.sayGoodbye()
    }
}
