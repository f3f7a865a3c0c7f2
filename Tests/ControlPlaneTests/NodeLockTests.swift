import ControlPlane
import Foundation
import Model
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

    private func place(_ port: UInt16) -> SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_0001), port: port) }

    @Test("A successor may come with another file, if an address or the state file stays")
    func otherFile() throws {
        let number = UInt16.random(in: 20_000...60_000)
        let first = try NodeLock(
            node: "a", topology: "\(folder)/t.yaml", addresses: [place(number), place(number + 1)],
            state: "\(folder)/a.state")
        func taken(_ addresses: [SocketAddress], state: String?) -> NodeTaken? {
            #expect(throws: NodeTaken.self) {
                try NodeLock(node: "a", topology: "\(folder)/u.yaml", addresses: addresses, state: state)
            }
        }
        #expect(taken([place(number + 1), place(number + 2)], state: nil)?.message.contains("runs already") == true)
        #expect(taken([], state: "\(folder)/./a.state")?.message.contains("runs already") == true)
        // One of that name which has nothing in common with it.
        let stranger = try NodeLock(node: "a", topology: "\(folder)/u.yaml", addresses: [place(number + 3)], state: nil)
        first.state?.release()
        first.leave()
        let second = try NodeLock(
            node: "a", topology: "\(folder)/v.yaml", addresses: [place(number + 1)], state: "\(folder)/v.state")
        #expect(second.isHandOver && !stranger.isHandOver)
        #expect(first.isSuccessorStarting)
        second.serves()
        #expect(!first.isSuccessorStarting)
        second.leave()
        let third = try NodeLock(node: "a", topology: "\(folder)/w.yaml", state: "\(folder)/a.state")
        #expect(third.isHandOver && first.isSuccessorStarting)
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
