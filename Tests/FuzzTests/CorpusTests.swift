import Foundation
import FuzzTargets
import Testing

/// `meridian-fuzz` looks for new trouble; these see to it that old trouble does not come back.
@Suite("Fuzzing corpus")
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "tools/fuzz/corpus").path

    @Test("Every input in the corpus is read without harm", arguments: Targets.all.map { $0.name })
    func corpus(name: String) throws {
        let type = try #require(Targets.all.first { $0.name == name })
        let inputs = Corpus.inputs(Self.folder, name)
        #expect(!inputs.isEmpty, "\(name) has no corpus")
        var target = try type.init()
        for input in inputs { #expect(Self.harmless(target.run(input))) }
    }

    @Test("A thousand spoilt inputs are read without harm", arguments: Targets.all.map { $0.name })
    func spoilt(name: String) throws {
        let type = try #require(Targets.all.first { $0.name == name })
        let inputs = Corpus.inputs(Self.folder, name)
        var target = try type.init()
        var mutator = Mutator(tokens: type.tokens, limit: type.limit, seed: 2026)
        for _ in 0..<1000 { #expect(Self.harmless(target.run(mutator.next(from: inputs)))) }
    }

    private static func harmless(_ outcome: Outcome) -> Bool {
        if case .broken(let promise) = outcome {
            Issue.record("\(promise)")
            return false
        }
        return true
    }
}
