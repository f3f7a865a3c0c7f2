package import Model
import Steering

/// A prepared topology as one function from the octets of a query to those of its reply: the tables and the code behind
/// every socket, with all candidates healthy. For measuring and fuzzing.
package final class QueryFunction {
    private let worker: WorkerResponder

    /// `seed`: of the draws among weighted answers; not 0.
    /// `time`: seconds since 1970 modulo 2^32, for cookies.
    package init(_ preparation: Preparation, seed: UInt64, time: UInt32 = 0) {
        let health = preparation.names.map { name in
            name.candidates.map { _ in CandidateHealth(healthy: true) }
        }
        let dynamics = DynamicAnswers.compile(preparation.names, health: health).table
        worker = WorkerResponder(
            table: AnswerTable(zones: preparation.zones, dynamics: dynamics, generation: 1),
            conduct: preparation.conduct, seed: seed)
        worker.time = time
    }

    /// `output`: at least 512 octets.
    /// Returns octets written; 0 sends no reply.
    package func answer(
        _ query: UnsafeRawBufferPointer, from client: IPAddress, overTCP: Bool,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        unsafe worker.responder.pointee.answer(query, from: client, over: overTCP ? .tcp : .udp, into: output)
    }
}
