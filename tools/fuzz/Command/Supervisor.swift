import Foundation
import FuzzTargets

/// Runs one target in processes of its own and keeps the inputs that end them.
struct Supervisor {
    /// One input may take this long: far more than any honest one needs, even on a crowded machine.
    private static let patience = 10.0
    /// So many findings of one target are enough for a day.
    private static let enough = 5

    let corpus: String
    let findings: String

    /// Returns the paths of the inputs that broke the target.
    func run(_ type: any FuzzTarget.Type, seed: UInt64, seconds: Double) throws -> [String] {
        let name = type.name
        let path = FileManager.default.temporaryDirectory
            .appending(path: "meridian-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name).board").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let board = try Board(path: path)
        let end = Loop.now() + seconds
        var found: [String] = []
        var round: UInt64 = 0
        while round == 0 || Loop.now() < end, found.count < Self.enough {
            board.clear()
            let process = Process()
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = [
                "--target", name, "--corpus", corpus, "--seed", String(seed &+ round), "--seconds",
                String(max(end - Loop.now(), 0.1)), "--board", path,
            ]
            try process.run()
            let hung = wait(for: process, board)
            round += 1
            if process.terminationReason == .exit, process.terminationStatus == 0 { continue }
            let how =
                hung
                ? "hang"
                : process.terminationReason == .uncaughtSignal ? "signal \(process.terminationStatus)" : "promise"
            guard board.runs > 0 else { throw Stillborn(target: name, how: how) }
            let file = try keep(board.input, name)
            print("\(name): \(how) after \(board.runs) inputs, seed \(seed &+ round - 1): \(file)")
            _ = fflush(nil)
            // An input of the corpus itself: every further round would end there.
            if found.contains(file) { break }
            found.append(file)
        }
        return found
    }

    /// Waits for the process, and ends it when one input takes too long.
    private func wait(for process: Process, _ board: borrowing Board) -> Bool {
        var runs = board.runs
        var since = Loop.now()
        while process.isRunning {
            Thread.sleep(forTimeInterval: 0.02)
            if board.runs != runs {
                runs = board.runs
                since = Loop.now()
            } else if Loop.now() - since > Self.patience {
                _ = kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return true
            }
        }
        return false
    }

    private func keep(_ input: [UInt8], _ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: findings, withIntermediateDirectories: true)
        var trail = Trail()
        for octet in input { trail.step(Int(octet)) }
        guard case .reached(let hash) = trail.outcome else { return "" }
        let file = "\(findings)/\(name)-\(String(hash, radix: 16))"
        try Data(input).write(to: URL(filePath: file))
        return file
    }

    /// The target died before it read anything.
    struct Stillborn: Error, CustomStringConvertible {
        let target: String
        let how: String

        var description: String { "\(target) does not start (\(how))" }
    }
}
