import ArgumentParser
import Foundation
import Topology

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of topologies, for editors.",
        discussion: "The project keeps it as topologies/schema.json.")

    @Option(
        help: ArgumentHelp(
            "Instead bring the tables of this page (Docs/Configuration.md) up to date.", valueName: "page"),
        completion: .file(extensions: ["md"]))
    var tables: String?

    func run() throws {
        guard let tables else { return Output.write(JSONSchema.text) }
        let page = try String(contentsOfFile: tables, encoding: .utf8)
        guard let refreshed = ConfigurationTables.refresh(page) else {
            throw ValidationError(
                "\(tables) has no lines '\(ConfigurationTables.begin)' and '\(ConfigurationTables.end)'")
        }
        if refreshed != page { try refreshed.write(toFile: tables, atomically: true, encoding: .utf8) }
    }
}
