import Synchronization

/// The control plane's HTTP client: libcurl's multi interface on one thread of its own. Connections are kept and reused;
/// any number of requests may be under way.
package final class HTTPClient: Sendable {
    private let driver: CurlDriver

    package init() { driver = CurlDriver() }

    deinit { driver.stop() }

    /// Sends a request and waits for the whole answer. An answer of any status is a success. When the task is cancelled
    /// the transfer is broken off at once.
    package func request(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        if let fault = request.fault { throw .invalidRequest(fault) }
        let transfer = CurlTransfer(request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.expect(continuation)
                driver.add(transfer)
            }
        } onCancel: {
            transfer.cancel()
            driver.wake()
        }
        return try result.get()
    }

    /// Breaks off everything under way and ends the thread. Later requests fail with `shutDown`.
    package func shutdown() { driver.stop() }
}

extension HTTPClientRequest {
    /// Why this request cannot be sent: a line break would let a value forge header fields.
    fileprivate var fault: String? {
        let texts = [url, method] + headers.flatMap { [$0.name, $0.value] }
        if texts.contains(where: { $0.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 } }) {
            return "a line break or NUL in the request"
        }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else { return "no http URL: \(url)" }
        guard !method.isEmpty else { return "no method" }
        guard headers.allSatisfy({ !$0.name.isEmpty && !$0.name.utf8.contains(0x3a) }) else {
            return "a header field without a proper name"
        }
        return nil
    }
}
