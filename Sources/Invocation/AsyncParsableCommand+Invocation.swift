package import ArgumentParser
import Foundation

extension AsyncParsableCommand {
    /// Parses the command line, runs what it asks for and ends the process. Every program of ours ends alike: 0 done, 1
    /// refused, invalid or unreachable, 2 wrong usage.
    package static func invoke() async -> Never {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty {
                let output = code.isSuccess ? FileHandle.standardOutput : .standardError
                // A reader that went away changes nothing about how we end.
                try? output.write(contentsOf: Data((message + "\n").utf8))
            }
            // The library's own number for wrong usage is sysexits' 64.
            Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
        }
        Foundation.exit(0)
    }
}
