import ArgumentParser
import ControlPlane
import Foundation
import Model

struct AcceptTimelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept-timeline",
        abstract: "Have a primary written to although a later timeline of its database was known.",
        discussion: """
            meridianctl accept-timeline 127.0.2.1:9080 --pool orders --timeline 1 --reason "restored from the backup"

            Name an L4 node of the region that the server is in; the others hear of it by federation. The server must be up \
            and fenced off, and none that is up may have a later timeline.
            """)

    @OptionGroup var targets: Targets

    @Option(help: "The pool of the server.")
    var pool: String

    @Option(help: "The server's own timeline.")
    var timeline: UInt32

    @Option(help: "Why, for those who look at the events.")
    var reason: String

    @Option(help: "Who says so.")
    var author: String = ProcessInfo.processInfo.environment["USER"] ?? "meridianctl"

    func run() async throws {
        guard !targets.nodes.isEmpty else { throw ValidationError("name an L4 node of the server's region") }
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let request: StatusValue = [
            "pool": .string(pool), "timeline": .init(timeline), "reason": .string(reason), "author": .string(author),
        ]
        let answers = await client.ask(try targets.resolve()) {
            await client.post("/timelines", request, to: $0, having: "accepted")
        }
        try report(answers) { _ in "pool \(pool): timeline \(timeline) accepted" }
    }
}
