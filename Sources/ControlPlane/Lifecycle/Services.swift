import Model
import ServiceLifecycle

/// The health loop and its tick, until the group stops it after everything else; then whatever the tier still does.
struct HealthService: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        async let work: Void = running.work()
        try? await gracefulShutdown()
        await running.stopWatching()
        await work
        await running.plane.end()
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

/// Users' traffic: opens the listeners once it is known where to send them; at the end closes them and lets what is under
/// way finish.
struct Traffic: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await running.serveUsers() }
        try? await gracefulShutdown()
        running.plane.stopAccepting()
        let patience = Task { await running.endRestart() }
        await running.plane.stop(deadline: running.state.configuration.me.drainTimeout)
        patience.cancel()
    }
}

/// The first to be stopped: tells the peers, lets a successor start, and goes on serving until the peers know, `leaveDelay` is
/// over and a successor that has begun to start serves.
struct Farewell: ServiceLifecycle.Service {
    let running: RunningNode

    func run() async throws {
        try? await gracefulShutdown()
        let delay = running.state.configuration.me.leaveDelay
        let end = ContinuousClock.now + delay
        running.plane.leave()
        async let isLetIn: Void = running.letSuccessorIn()
        await running.sayGoodbye(within: max(delay, RunningNode.leastFarewell))
        await isLetIn
        try? await Task.sleep(until: end, clock: .continuous)
        await running.awaitSuccessor()
    }
}
