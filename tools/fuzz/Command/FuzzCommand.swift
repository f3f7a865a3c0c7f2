import ArgumentParser
import Foundation
import FuzzTargets

/// `meridian-fuzz`: spoils inputs of everything that reads what strangers write, for a given time, and keeps those that
/// end the reader, hang it, or make it break a promise. A run is repeated by its seed, an input by `--replay`.
@main
struct FuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian-fuzz",
        abstract: "Fuzz the parsers.",
        discussion: "Exit status: 0 nothing found, 1 something found, 2 wrong usage. Targets: "
            + Targets.all.map { $0.name }.joined(separator: ", "))

    @Option(help: "Seconds for all targets together.")
    var seconds = 20.0

    @Option(help: "Repeats the run that printed it.")
    var seed: UInt64?

    @Option(help: "A target; may be given several times. All of them when absent.")
    var target: [String] = []

    @Option(help: "The folder with a folder of inputs for each target.")
    var corpus = "tools/fuzz/corpus"

    @Option(help: "Where the inputs go that were found.")
    var findings = ".build/fuzz"

    @Option(help: "Runs the one target on this file once, in this process.")
    var replay: String?

    @Option(help: .hidden)
    var board: String?

    func validate() throws {
        let names = Targets.all.map { $0.name }
        for name in target where !names.contains(name) {
            throw ValidationError("There is no target \(name); there are \(names.joined(separator: ", ")).")
        }
        guard seconds > 0, seconds <= 86_400 else { throw ValidationError("Seconds are 0 to 86400.") }
        if replay != nil || board != nil, target.count != 1 { throw ValidationError("One --target is needed.") }
    }

    func run() throws {
        let types = Targets.all.filter { target.isEmpty || target.contains($0.name) }
        if let replay, let type = types.first {
            var reader = try type.init()
            let outcome = reader.run(Array(try Data(contentsOf: URL(filePath: replay))))
            print("\(type.name): \(outcome)")
            if case .broken = outcome { throw ExitCode(1) }
            return
        }
        let seed = seed ?? UInt64.random(in: 0..<1_000_000)
        if let board, let type = types.first {
            let inputs = Corpus.inputs(corpus, type.name)
            throw ExitCode(
                try Loop.run(type, corpus: inputs, seed: seed, seconds: seconds, board: Board(path: board)))
        }
        print("meridian-fuzz --seed \(seed) --seconds \(seconds)")
        // Before the lines of the processes that it starts, into a file too.
        _ = fflush(nil)
        let supervisor = Supervisor(corpus: corpus, findings: findings)
        var found: [String] = []
        for type in types {
            found += try supervisor.run(type, seed: seed, seconds: seconds / Double(types.count))
        }
        guard found.isEmpty else { throw ExitCode(1) }
    }
}
