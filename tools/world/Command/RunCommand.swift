import ArgumentParser
import Foundation
import Glibc
import Model
import Topology
import WorldKit

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Starts the world and shows it until Ctrl-C; or plays the failover story once.")

    @Flag(help: "Play the failover story, print what was observed with times, and end with status 0 if all of it was.")
    var once = false

    @Option(help: "The topology.", completion: .file(extensions: ["yaml", "yml"]))
    var topology = Programs.package.appending(path: "topologies/quickstart/topology.yaml").path

    func run() async throws {
        let interrupts = Interrupts()
        let began = ContinuousClock.now
        let world: World
        do {
            world = try World(topology: topology)
        } catch let invalid as InvalidTopology {
            for diagnostic in invalid.diagnostics { Terminal.complain(diagnostic.description) }
            throw ExitCode(1)
        }
        var status: Int32 = 0
        do {
            try await interrupts.cancelling {
                try await world.start { Terminal.say($0) }
                Terminal.say(
                    "ready after \((ContinuousClock.now - began).milliseconds) ms; logs are in \(world.folder.path)")
                if once { try await tell(world) } else { try await show(world) }
            }
        } catch is CancellationError {
            status = once ? 130 : 0
        } catch {
            Terminal.complain("\(error)")
            status = 1
        }
        if status == 1 { await complainWithLogs(of: world) }
        let started = await world.running
        let unclean = await world.stop()
        for (node, exit) in unclean where status != 1 {
            Terminal.complain("\(node) did not end cleanly: \(exit.map { "\($0)" } ?? "had to be killed")")
            status = 1
        }
        let left = started.filter { kill($0, 0) == 0 }
        if !left.isEmpty {
            Terminal.complain("still running: \(left)")
            status = 1
        }
        if once {
            Terminal.say(
                "\(status == 0 ? "all observed" : "failed"), \((ContinuousClock.now - began).milliseconds) ms in all")
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func tell(_ world: World) async throws {
        let timeline = Timeline { Terminal.say($0.line) }
        try await Story(world, timeline: timeline).play()
    }

    private func show(_ world: World) async throws {
        let traffic = Traffic(world)
        try await withThrowingTaskGroup { group in
            group.addTask { await traffic.run(rate: 4) }
            group.addTask {
                var watcher = Watcher(world)
                var view = LiveView(world)
                while true {
                    view.show(await watcher.look(), traffic: traffic.take())
                    try await Task.sleep(for: .seconds(1))
                }
            }
            try await group.waitForAll()
        }
    }

    private func complainWithLogs(of world: World) async {
        for node in world.snapshot.nodes {
            let lines = world.log(of: node.name).split(separator: "\n").suffix(6)
            if !lines.isEmpty { Terminal.complain("-- \(node.name)\n" + lines.joined(separator: "\n")) }
        }
    }
}
