package import Foundation

/// A command run to its end, with what it printed.
package struct Command: Sendable {
    package struct Output: Sendable {
        /// Nil when it had to be killed at the deadline.
        package let exit: Child.Exit?
        package let text: String
        package let errors: String

        package var succeeded: Bool { exit == .status(0) }

        /// Standard output without the white space around it.
        package var trimmed: String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    /// - Parameters:
    ///   - words: The program and its arguments.
    ///   - folder: Where its output is kept while it runs.
    ///   - limit: It is killed after that long.
    ///   - environment: Added to ours.
    /// - Returns: How it ended and what it printed.
    /// - Throws: `Child.Failure` when it cannot be started.
    package static func run(
        _ words: String..., folder: URL, limit: Duration = .seconds(10), environment: [String: String] = [:]
    ) async throws -> Output {
        try await run(words, folder: folder, limit: limit, environment: environment)
    }

    package static func run(
        _ words: [String], folder: URL, limit: Duration = .seconds(10), environment: [String: String] = [:],
        account: Account? = nil
    ) async throws -> Output {
        let file = folder.appending(path: "out-\(UUID().uuidString)").path
        defer {
            try? FileManager.default.removeItem(atPath: file)
            try? FileManager.default.removeItem(atPath: file + ".errors")
        }
        var launch = Child.Launch(words[0], Array(words.dropFirst()), environment: environment, output: file)
        launch.errors = file + ".errors"
        launch.account = account
        // It is short-lived and reads nothing: no wrapper process for the sake of a rare crash of ours.
        if account == nil { launch.signalOnDeath = nil }
        let child = try Child(words[0], launch)
        let exit = await child.wait(limit)
        if exit == nil { await child.stop(SIGKILL) }
        return Output(exit: exit, text: read(file), errors: read(file + ".errors"))
    }

    private static func read(_ path: String) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
