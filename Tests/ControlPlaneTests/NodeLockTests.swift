import ControlPlane
import Foundation
import Testing

@Suite("One process is one node")
struct NodeLockTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "lock-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    @Test("A node that runs is not started again, and the error names the process and the cure")
    func runsOnce() throws {
        let first = try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: "\(folder)/a.state")
        let error = #expect(throws: NodeTaken.self) {
            try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: "\(folder)/a.state")
        }
        #expect(error?.description.contains("process \(getpid())") == true)
        #expect(error?.description.contains("kill \(getpid())") == true)
        withExtendedLifetime(first) {}
    }

    @Test("A successor starts as soon as the node is leaving")
    func handOver() throws {
        let first = try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: "\(folder)/a.state")
        first.state?.release()
        first.leave()
        let second = try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: "\(folder)/a.state")
        #expect(second.isHandOver)
        #expect(!first.isHandOver)
        #expect(first.state?.retake() == false)
    }

    @Test("Two nodes cannot keep one state file")
    func stateFile() throws {
        let first = try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: "\(folder)/shared.state")
        let error = #expect(throws: NodeTaken.self) {
            try NodeLock(node: "b", topology: "\(folder)/t.yaml", state: "\(folder)/shared.state")
        }
        #expect(error?.description.contains("shared.state") == true)
        withExtendedLifetime(first) {}
    }

    @Test("Nodes of other names and other topologies do not meet")
    func others() throws {
        let first = try NodeLock(node: "a", topology: "\(folder)/t.yaml", state: nil)
        let second = try NodeLock(node: "b", topology: "\(folder)/t.yaml", state: nil)
        let third = try NodeLock(node: "a", topology: "\(folder)/u.yaml", state: nil)
        #expect(!first.isHandOver && !second.isHandOver && !third.isHandOver)
    }
}
