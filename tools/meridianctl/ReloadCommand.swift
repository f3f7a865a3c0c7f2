import ArgumentParser
import ControlPlane

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have nodes read their topology again.",
        discussion: """
            A topology that is not good changes nothing, and the node says why. With --topology and no names, every node \
            of it is told.
            """)

    @OptionGroup var targets: Targets

    func run() async throws {
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let answers = await client.ask(try targets.resolve()) {
            await client.post("/reload", [:], to: $0, having: "configuration")
        }
        try report(answers) { value in
            let fingerprint = value["configuration"].string
            return "reloaded" + (fingerprint.map { ", fingerprint \($0)" } ?? "")
        }
    }
}
