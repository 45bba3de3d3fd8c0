%% The rows of the restart benchmark that OTP can run, on OTP: gen_servers under supervisors.
%%
%% Prints one line a row: key, p50, p99, mean (nanoseconds), number of samples, separated by tabs. The caller is a
%% process of its own, and so is every supervisor; the schedulers place them. Nothing is logged.
-module(restart).
-export([main/0, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, start_worker/1, start_inner/0,
         start_pooled/0]).

%% A supervisor remembers its restarts of the last period in a list and walks it at each restart. A new tree every
%% so many crashes keeps that walk out of the figures.
-define(CRASHES_A_TREE, 200).

main() ->
    logger:set_primary_config(level, none),
    [Hot, Idle, Dynamic] = [list_to_integer(A) || A <- init:get_plain_arguments()],
    Group = [a, b, c],
    Trees = [{one_for_one, {group, one_for_one, [a]}, a, [a]},
             {rest_for_one, {group, rest_for_one, Group}, a, Group},
             {one_for_all, {group, one_for_all, Group}, b, Group},
             {escalation, outer, a, Group}],
    Pauses = [{hot, 0, Hot}, {idle, 2, Idle}],
    [row({Name, How, Pause}, Plan, Victim, Watched, How, Sleep, Count)
     || {Name, Plan, Victim, Watched} <- Trees, How <- [error, kill], {Pause, Sleep, Count} <- Pauses],
    call_row(Hot),
    dynamic_row(Dynamic),
    halt(0).

%% ---- crash sent -> every watched child's new incarnation has answered ----

row({Name, How, Pause}, Plan, Victim, Watched, How, Sleep, Count) ->
    _ = trees(Plan, Victim, Watched, How, Sleep, min(Count, ?CRASHES_A_TREE), []),
    Samples = trees(Plan, Victim, Watched, How, Sleep, Count, []),
    print(lists:join(".", [atom_to_list(A) || A <- [Name, How, Pause]]), Samples).

trees(_Plan, _Victim, _Watched, _How, _Sleep, 0, Samples) ->
    Samples;
trees(Plan, Victim, Watched, How, Sleep, Left, Samples) ->
    {ok, Sup} = supervisor:start_link(?MODULE, Plan),
    Now = min(Left, ?CRASHES_A_TREE),
    More = rounds(Victim, Watched, How, Sleep, Now, Samples),
    unlink(Sup),
    gen_server:stop(Sup, shutdown, infinity),
    trees(Plan, Victim, Watched, How, Sleep, Left - Now, More).

rounds(_Victim, _Watched, _How, _Sleep, 0, Samples) ->
    Samples;
rounds(Victim, Watched, How, Sleep, Left, Samples) ->
    Sleep > 0 andalso timer:sleep(Sleep),
    Olds = [{Name, whereis(Name)} || Name <- Watched],
    From = erlang:monotonic_time(nanosecond),
    crash(How, whereis(Victim)),
    [answered(Name, Old) || {Name, Old} <- Olds],
    Took = erlang:monotonic_time(nanosecond) - From,
    rounds(Victim, Watched, How, Sleep, Left - 1, [Took | Samples]).

crash(kill, Pid) -> exit(Pid, kill);
crash(error, Pid) -> gen_server:cast(Pid, crash).

answered(Name, Old) ->
    case whereis(Name) of
        undefined -> erlang:yield(), answered(Name, Old);
        Old -> erlang:yield(), answered(Name, Old);
        New ->
            try gen_server:call(New, ping) of
                pong -> ok
            catch
                exit:_ -> answered(Name, Old)
            end
    end.

%% ---- a call that does nothing, and many children ----

call_row(Count) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {group, one_for_one, [a]}),
    Samples = [begin
                   From = erlang:monotonic_time(nanosecond),
                   pong = gen_server:call(a, ping),
                   erlang:monotonic_time(nanosecond) - From
               end || _ <- lists:seq(1, Count)],
    unlink(Sup),
    gen_server:stop(Sup, shutdown, infinity),
    print("call", Samples).

dynamic_row(Count) ->
    erlang:garbage_collect(),
    {ok, Sup} = supervisor:start_link(?MODULE, pool),
    Before = resident(),
    From = erlang:monotonic_time(nanosecond),
    [{ok, _} = supervisor:start_child(Sup, []) || _ <- lists:seq(1, Count)],
    Started = erlang:monotonic_time(nanosecond) - From,
    Bytes = resident() - Before,
    unlink(Sup),
    Stopping = erlang:monotonic_time(nanosecond),
    gen_server:stop(Sup, shutdown, infinity),
    Stopped = erlang:monotonic_time(nanosecond) - Stopping,
    print("dynamic.start", [Started div Count]),
    print("dynamic.bytes", [Bytes div Count]),
    print("dynamic.stop", [Stopped]).

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_Size, Resident | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Resident) * 4096.

print(Key, Samples) ->
    Sorted = lists:sort(Samples),
    Count = length(Sorted),
    At = fun(Share) -> lists:nth(min(Count, trunc(Count * Share) + 1), Sorted) end,
    io:format("~s\t~b\t~b\t~b\t~b~n", [Key, At(0.5), At(0.99), lists:sum(Sorted) div Count, Count]).

%% ---- supervisors and workers ----

init({group, Strategy, Names}) ->
    {ok, {flags(Strategy, 1000000000), [worker(Name) || Name <- Names]}};
init(outer) ->
    Inner = #{id => inner, start => {?MODULE, start_inner, []}, type => supervisor},
    {ok, {flags(one_for_one, 1000000000), [Inner]}};
init(inner) ->
    {ok, {flags(one_for_one, 0), [worker(Name) || Name <- [a, b, c]]}};
init(pool) ->
    {ok, {flags(simple_one_for_one, 1000000000), [#{id => pooled, start => {?MODULE, start_pooled, []}}]}};
init(worker) ->
    {ok, 0}.

flags(Strategy, Intensity) -> #{strategy => Strategy, intensity => Intensity, period => 1}.

worker(Name) -> #{id => Name, start => {?MODULE, start_worker, [Name]}}.

start_worker(Name) -> gen_server:start_link({local, Name}, ?MODULE, worker, []).
start_inner() -> supervisor:start_link(?MODULE, inner).
start_pooled() -> gen_server:start_link(?MODULE, worker, []).

handle_call(ping, _From, State) -> {reply, pong, State}.
handle_cast(crash, _State) -> error(boom).
handle_info(_Message, State) -> {noreply, State}.
terminate(_Reason, _State) -> ok.
