import Model
import ServiceLifecycle

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
        await running.letSuccessorIn()
    }
}
