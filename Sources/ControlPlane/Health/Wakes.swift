/// A doorbell with room for one ring: whoever rings while it still sounds adds nothing.
struct Wakes: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { continuation.yield() }

    /// Ends the loop that listens.
    func end() { continuation.finish() }
}
