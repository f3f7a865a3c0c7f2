import FuzzTargets
import Glibc

/// The fuzzing process: mutates, writes the input on the board, runs it.
struct Loop {
    /// How it ends when a target breaks its promise.
    static let broken: Int32 = 77
    /// A reader that wants more than this for one small input is at fault; it then dies of a failed allocation.
    private static let memory: UInt = 6 << 30

    static func run(
        _ type: any FuzzTarget.Type, corpus: [[UInt8]], seed: UInt64, seconds: Double, board: borrowing Board
    ) throws -> Int32 {
        var limit = rlimit(rlim_cur: memory, rlim_max: memory)
        _ = unsafe setrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit)
        var target = try type.init()
        var mutator = Mutator(tokens: type.tokens, limit: type.limit, seed: seed)
        var pool = corpus.isEmpty ? [[]] : corpus
        var seen: Set<UInt64> = []
        let end = now() + seconds
        var replayed = 0
        while now() < end {
            // A batch between two looks at the clock.
            for _ in 0..<16 {
                let fresh = replayed >= pool.count
                let input = fresh ? mutator.next(from: pool) : pool[replayed]
                if !fresh { replayed += 1 }
                board.begin(input)
                switch target.run(input) {
                case .reached(let trail):
                    if seen.insert(trail).inserted, fresh, pool.count < 4096 {
                        pool.append(input)
                        replayed += 1
                    }
                case .broken(let promise):
                    print("\(type.name): \(promise)")
                    return broken
                }
            }
        }
        print(
            "\(type.name): \(board.runs) inputs, \(seen.count) ways through, corpus \(corpus.count) + \(pool.count - corpus.count)"
        )
        return 0
    }

    static func now() -> Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
