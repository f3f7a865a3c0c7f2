import CCurl
import Engine
import Synchronization

/// One thread that drives one `CURLM`. Everything that touches libcurl happens on it; others leave transfers in `state`
/// and wake it.
final class CurlDriver: Sendable {
    private struct State {
        var arriving: [CurlTransfer] = []
        var stopped = false
        /// Nil once the thread has freed it: waking a freed handle would be a use after free.
        var multi: CurlMulti?
    }

    private let state = Mutex(State())
    /// Idle connections kept, for all hosts together.
    private static let keptConnections = 1024

    private static let library: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// Begins with the first transfer: what cannot be had then is tried for again with the next one.
    ///
    /// - Returns: what is missing; nil when the thread runs.
    private func begin(_ state: inout State) -> HTTPClientError? {
        if state.multi != nil { return nil }
        guard Self.library, let handle = unsafe curl_multi_init() else {
            // It wants a pair of descriptors and little memory.
            return .shortage(.descriptors, "libcurl cannot be started")
        }
        unsafe meridian_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        // What a connection brings is counted against one transfer, so no two share it at a time.
        unsafe meridian_curl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        let multi = unsafe CurlMulti(handle: handle)
        do throws(SocketError) {
            try Thread.start(name: "http-client") { self.run(multi) }
        } catch {
            unsafe curl_multi_cleanup(handle)
            return .shortage(.threads, "\(error)")
        }
        state.multi = multi
        return nil
    }

    func add(_ transfer: CurlTransfer) {
        let refusal: HTTPClientError? = state.withLock { state in
            if state.stopped { return .shutDown }
            if let missing = begin(&state) { return missing }
            state.arriving.append(transfer)
            state.multi?.wake()
            return nil
        }
        if let refusal { transfer.finish(.failure(refusal)) }
    }

    func wake() {
        state.withLock { $0.multi?.wake() }
    }

    func stop() {
        state.withLock { state in
            state.stopped = true
            state.multi?.wake()
        }
    }

    private func run(_ multi: CurlMulti) {
        let handle = unsafe multi.handle
        // By the address of the easy handle, which is what libcurl names a transfer by.
        var transfers: [UInt: CurlTransfer] = [:]
        let kept = KeptSockets()
        while true {
            let (arriving, stopped) = state.withLock { state in
                defer { state.arriving = [] }
                return (state.arriving, state.stopped)
            }
            for transfer in arriving {
                guard let easy = unsafe transfer.prepare(kept) else {
                    transfer.finish(.failure(.shortage(.memory, "libcurl is out of memory")))
                    continue
                }
                transfers[UInt(bitPattern: easy)] = transfer
                unsafe curl_multi_add_handle(handle, easy)
            }
            for (key, transfer) in transfers where stopped || transfer.isCancelled {
                unsafe curl_multi_remove_handle(handle, UnsafeMutableRawPointer(bitPattern: key))
                transfers[key] = nil
                transfer.release()
                transfer.finish(.failure(stopped ? .shutDown : .cancelled))
            }
            if stopped { break }
            var running: Int32 = 0
            unsafe curl_multi_perform(handle, &running)
            var left: Int32 = 0
            var finished = false
            while let message = unsafe curl_multi_info_read(handle, &left) {
                guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle,
                    let transfer = transfers.removeValue(forKey: UInt(bitPattern: easy))
                else { continue }
                let result = unsafe transfer.result(message.pointee.data.result)
                unsafe curl_multi_remove_handle(handle, easy)
                transfer.release()
                transfer.finish(result)
                finished = true
            }
            // libcurl shortens the wait to its own next deadline.
            if !finished { unsafe curl_multi_poll(handle, nil, 0, 60_000, nil) }
        }
        state.withLock { $0.multi = nil }
        unsafe curl_multi_cleanup(handle)
    }
}

/// A `CURLM` that another thread may wake: the one call that libcurl allows from outside.
@safe
struct CurlMulti: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    func wake() { unsafe curl_multi_wakeup(handle) }
}
